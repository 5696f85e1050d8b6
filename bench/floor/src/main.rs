//! The floor as a program: prints the user code, polls until a token arrives or the maximum number of polls is reached,
//! and prints the cost of the polls.

use std::{
    env,
    io::{self, Write},
    thread,
    time::Duration,
};

use floor::{Failure, Login};
use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike,
};

const USAGE: &str = "usage: floor https://HOST:PORT CA_FILE [POLLS [SECONDS_BETWEEN_POLLS]]";

fn main() -> Result<(), Failure> {
    let mut words = env::args().skip(1);
    let url = words.next().ok_or(USAGE)?;
    let ca_file = words.next().ok_or(USAGE)?;
    let polls: u32 = words.next().map_or(Ok(0), |word| word.parse())?;
    let pause = words.next().map_or(Ok(0.0), |word| word.parse())?;
    let pause = Duration::try_from_secs_f64(pause)?;

    let mut login = Login::start(&url, &ca_file)?;
    say(&login.user_code)?;

    let before = cpu_us()?;
    let mut done: u32 = 0;
    while done < polls {
        thread::sleep(pause);
        done += 1;
        if login.poll()? {
            say("token")?;
            break;
        }
    }
    say(&format!("polls {done} cpu_us {}", cpu_us()? - before))?;
    Ok(())
}

/// Returns the processor time of this process.
fn cpu_us() -> Result<i64, Failure> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    Ok(usage.user_time().num_microseconds() + usage.system_time().num_microseconds())
}

fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
