//! Measurements: the example tool and the library beside a program that does only the exchange, in one run.
//!
//! Rounds are interleaved, so that a machine whose speed drifts treats both alike, and ratios are taken pair by pair. No
//! time is asserted: the table says what was met and what was missed.

mod launch;
mod load;
mod login;
mod peers;
mod program;
mod samples;
mod server;
mod stop;
mod table;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{bail, ensure};
use serde_json::Value;

use crate::examples::build_in_foreground;
use crate::lang::Language;
use crate::signals;
use crate::workspace::{Profile, Workspace};
use program::Program;
use server::{Server, Virtual};
use table::Row;

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) languages: Vec<Language>,
    /// Measure other clients beside ours.
    pub(crate) peers: bool,
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<u8> {
    println!("Building: release builds of what is measured, and of the server.");
    let mut cargo = workspace.cargo("build");
    build_in_foreground(cargo.args(["--quiet", "--locked", "--release", "--package", "authserver"]))?;
    // On their own: built together with the server they would get features of shared packages that only it needs.
    let mut cargo = workspace.cargo("build");
    cargo.args(["--quiet", "--locked", "--release", "--package", "floor", "--package", "meter"]);
    build_in_foreground(&mut cargo)?;
    let folder = workspace.target.join("bench");
    fs::create_dir_all(&folder)?;
    let server = Server::start(&workspace.binary(Profile::Release, "authserver"), folder.join("ca.pem"))?;
    for &language in &options.languages {
        build_in_foreground(&mut language.build_example(workspace, Profile::Release))?;
        let bench = Bench {
            server: &server,
            example: language.example(workspace, Profile::Release),
            floor: workspace.binary(Profile::Release, "floor"),
            meter: workspace.binary(Profile::Release, "meter"),
        };
        println!(
            "\n== {}: median (least - most); ratio: median of the pairs (of the least){}",
            language.name(),
            load_average()
        );
        let mut rows = Vec::new();
        for (what, measure) in MEASURES {
            println!("   measuring {what}");
            rows.extend(measure(&bench)?);
        }
        tell(&rows, "floor");
        if options.peers {
            let peer = peers::build(workspace)?;
            tell(&peers::measure(&bench, &peer)?, "oauth2 crate");
        }
    }
    println!("\n{NOTES}");
    Ok(0)
}

fn tell(rows: &[Row], beside: &str) {
    println!();
    for line in table::lines(rows, beside) {
        println!("{line}");
    }
}

/// How busy the machine was already, where that is known: other load spoils times.
fn load_average() -> String {
    let known = fs::read_to_string("/proc/loadavg").ok();
    let first = known.as_deref().and_then(|text| text.split_whitespace().next());
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    first
        .map(|load| format!("; load average {load} on {processors} processors at the start"))
        .unwrap_or_default()
}

type Measure = fn(&Bench<'_>) -> anyhow::Result<Vec<Row>>;

const MEASURES: [(&str, Measure); 7] = [
    ("start, memory and Ctrl-C", |bench| launch::measure(bench, &bench.floor, |at| bench.floor(at, 1, 5.0))),
    ("Ctrl-C while a request is under way", stop::interrupt_in_flight),
    ("cancel() from another thread", stop::cancel),
    ("whole logins with five polls", login::measure),
    ("the cost of a poll", |bench| {
        let floor = |polls, pause| load::floor_polls(bench, polls, pause);
        Ok(vec![load::busy_polls(bench, &floor)?, load::paced_polls(bench, &floor)?])
    }),
    ("1,000 logins at once", |bench| load::crowd(bench, 1_000, &Value::Null)),
    ("10,000 logins at once", |bench| load::crowd(bench, 10_000, &Value::Null)),
];

const NOTES: &str = "\
Floor: xtask/floor, blocking rustls with the same roots and nothing that a product needs. Server: tests/authserver on this
machine, which shares its processors. Start: from before the process is made to its first line of output, https, the
system's roots and one more; SSL_CERT_FILE and SSL_CERT_DIR are not passed on. Memory: resident peak, at the code or at the
end. A poll's cost: processor time, user and system, of a process whose one thread drives 8,000 or 400 logins in turn, each
polled at its interval, divided by the polls; the floor polls as often on its one connection. Pace: from an answer to the
next request, by the server's log. Gap in the crowd: from an answer to the next answer, by the client, which is never less.";

/// What a measure needs.
struct Bench<'s> {
    server: &'s Server,
    example: PathBuf,
    floor: PathBuf,
    meter: PathBuf,
}

impl Bench<'_> {
    /// The example tool, logging in at `at`.
    fn tool(&self, at: &Virtual<'_>) -> anyhow::Result<Program> {
        let mut command = Command::new(&self.example);
        command.args(["login", "--provider", "endpoints", "--client-id", "bench", "--json", "--no-browser"]);
        command.arg("--device-endpoint").arg(format!("{}/oauth2/device_authorization", at.url));
        command.arg("--token-endpoint").arg(format!("{}/oauth2/token", at.url));
        command.arg("--ca-file").arg(&self.server.ca_file);
        go(command)
    }

    /// The floor, polling at most `polls` times with so many seconds between.
    fn floor(&self, at: &Virtual<'_>, polls: u32, seconds: f64) -> anyhow::Result<Program> {
        let mut command = Command::new(&self.floor);
        command.arg(&at.url).arg(&self.server.ca_file).arg(polls.to_string()).arg(seconds.to_string());
        go(command)
    }

    /// The program that measures the library from inside; gives what it found.
    fn meter(&self, at: &Virtual<'_>, words: &[&str], logins: u32) -> anyhow::Result<Value> {
        let mut command = Command::new(&self.meter);
        command.args(words).arg("--logins").arg(logins.to_string());
        command.arg("--url").arg(&at.url).arg("--ca-file").arg(&self.server.ca_file);
        let said = go(command)?.finish(load::PATIENCE)?;
        ensure!(!said.is_empty(), "the meter said nothing");
        Ok(serde_json::from_str(&said)?)
    }
}

/// Starts what is measured, unless Ctrl-C came meanwhile.
fn go(mut command: Command) -> anyhow::Result<Program> {
    if signals::received().is_some() {
        bail!("interrupted");
    }
    // All read the one bundle of the system: these variables make some read more, and some nothing.
    command.env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
    Program::start(command)
}
