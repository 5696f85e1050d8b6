//! From `cancel()` on one thread to the return of `poll()` on another.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{anyhow, ensure};
use cli_auth::{ErrorKind, Login};
use serde_json::{Value, json};

use crate::Options;

/// Pause between two cancels, so that they do not affect each other.
const PAUSE: Duration = Duration::from_millis(5);

pub(crate) fn measure(options: &Options) -> anyhow::Result<Value> {
    let logins =
        (0..options.logins).map(|_| Ok(options.client()?.login())).collect::<anyhow::Result<Vec<Login>>>()?;
    let mut threads = Vec::new();
    for login in &logins {
        login.start()?;
        let login = login.clone();
        threads.push(thread::spawn(move || (login.poll(drop), Instant::now())));
    }
    // Long enough to reach the requested state: asleep, or with a request in flight.
    thread::sleep(options.time);
    let mut milliseconds = Vec::new();
    for (login, thread) in logins.iter().zip(threads) {
        thread::sleep(PAUSE);
        let cancelled = Instant::now();
        login.cancel();
        let (outcome, returned) = thread.join().map_err(|_| anyhow!("poll() panicked"))?;
        let kind = outcome.err().map(|error| error.kind());
        ensure!(kind == Some(ErrorKind::Cancelled), "poll() returned {kind:?}");
        milliseconds.push(returned.saturating_duration_since(cancelled).as_secs_f64() * 1e3);
    }
    Ok(json!({ "milliseconds": milliseconds }))
}
