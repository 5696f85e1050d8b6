//! Many simultaneous logins: the async interface, one client, one thread.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::anyhow;
use cli_auth::{Client, Error};
use serde_json::{Value, json};
use tokio::runtime::Builder;

use crate::{Options, process};

/// Interval in which open sockets and threads are counted.
const LOOK: Duration = Duration::from_millis(50);

pub(crate) fn measure(options: &Options) -> anyhow::Result<Value> {
    let client = options.client()?;
    let over = Arc::new(AtomicBool::new(false));
    let counter = thread::spawn({
        let over = Arc::clone(&over);
        move || most(&over)
    });

    let runtime = Builder::new_current_thread().enable_time().build()?;
    let began = Instant::now();
    let logins: Vec<_> = (0..options.logins).map(|_| runtime.spawn(log_in(client.clone()))).collect();
    let mut gaps = Vec::new();
    let mut failed = BTreeMap::<String, u32>::new();
    let mut done: u32 = 0;
    runtime.block_on(async {
        for login in logins {
            match login.await {
                Ok(Ok(seen)) => {
                    done += 1;
                    gaps.extend(seen);
                }
                Ok(Err(error)) => *failed.entry(error.kind().as_str().to_owned()).or_default() += 1,
                Err(_) => *failed.entry("panic".to_owned()).or_default() += 1,
            }
        }
    });
    let wall = began.elapsed();
    let (cpu, peak_kib) = (process::cpu()?, process::peak_kib());
    over.store(true, Ordering::Relaxed);
    let (sockets, threads) = counter.join().map_err(|_| anyhow!("counting panicked"))?;
    gaps.sort_by(f64::total_cmp);
    Ok(json!({
        "done": done,
        "failed": failed,
        "wall_s": wall.as_secs_f64(),
        "cpu_s": cpu.as_secs_f64(),
        "peak_kib": peak_kib,
        "sockets": sockets,
        // Without the counting thread.
        "threads": threads.map(|all| all.saturating_sub(1)),
        "gap_p99_s": gaps.get(gaps.len() * 99 / 100),
        "gap_min_s": gaps.first(),
        "gap_max_s": gaps.last(),
    }))
}

/// Runs one login and returns the seconds from each response to the next, including the request between them.
async fn log_in(client: Client) -> Result<Vec<f64>, Error> {
    let login = client.login();
    login.start_async().await?;
    let mut last = Instant::now();
    let mut gaps = Vec::new();
    let mut answered = || {
        let now = Instant::now();
        gaps.push(now.duration_since(last).as_secs_f64());
        last = now;
    };
    login.poll_async(|_| answered()).await?;
    answered();
    Ok(gaps)
}

/// The highest numbers of sockets and threads observed.
fn most(over: &AtomicBool) -> (Option<usize>, Option<usize>) {
    let (mut sockets, mut threads) = (None, None);
    while !over.load(Ordering::Relaxed) {
        sockets = sockets.max(process::sockets());
        threads = threads.max(process::threads());
        thread::sleep(LOOK);
    }
    (sockets, threads)
}
