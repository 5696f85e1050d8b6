//! The cost of one poll.
//!
//! A client waits at least a second between the polls of one login, so many logins share one client here. One thread
//! drives the login that is due next through the blocking interface, like a command-line tool drives its only login:
//! sleep, send on the kept connection, wait for the response, return the event. The starts are staggered, so that polls
//! do not overlap. With enough logins, the thread never sleeps.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    thread,
    time::{Duration, Instant},
};

use anyhow::bail;
use cli_auth::{Event, Step};
use serde_json::{Value, json};

use crate::{Options, process};

/// The server's interval plus the client's guard.
const PERIOD: Duration = Duration::from_millis(1050);

pub(crate) fn measure(options: &Options) -> anyhow::Result<Value> {
    let client = options.client()?;
    let spacing = PERIOD / options.logins.max(1);
    let mut logins = Vec::new();
    let mut due = BinaryHeap::new();
    let began = Instant::now();
    for number in 0..options.logins {
        thread::sleep((began + spacing * number).saturating_duration_since(Instant::now()));
        let login = client.login();
        login.start()?;
        due.push(Reverse((Instant::now() + PERIOD, logins.len())));
        logins.push(login);
    }

    // The first round is not measured. It brings every login into the state in which later rounds find it.
    let begin = Instant::now() + PERIOD;
    let end = begin + options.time;
    let mut measured = None;
    let (mut polls, mut slept): (u32, Duration) = (0, Duration::ZERO);
    while let Some(Reverse((at, number))) = due.pop()
        && at < end
    {
        if measured.is_none() && at >= begin {
            measured = Some(process::cpu()?);
            (polls, slept) = (0, Duration::ZERO);
        }
        slept += at.saturating_duration_since(Instant::now());
        let Some(login) = logins.get(number) else { bail!("unknown login {number}") };
        let wait = match login.step(Duration::MAX)? {
            Step::Event(Event::Pending { next_poll_in, .. }) => next_poll_in,
            other => bail!("expected every poll to be pending, got {other:?}"),
        };
        polls += 1;
        due.push(Reverse((Instant::now() + wait, number)));
    }
    let Some(before) = measured else { bail!("no poll was measured") };
    let cpu = process::cpu()?.saturating_sub(before);
    Ok(json!({
        "polls": polls,
        // The average pause before one poll.
        "slept_s": (slept / polls.max(1)).as_secs_f64(),
        "cpu_us": cpu.as_secs_f64() * 1e6,
        "sockets": process::sockets(),
    }))
}
