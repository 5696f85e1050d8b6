//! A measured program: start, timing, resource use and termination.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Sender};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::signals;

/// Timeout for the next line of a program, or for its end.
const PATIENCE: Duration = Duration::from_secs(30);
/// Interval in which a watchdog checks for termination signals.
const LOOK: Duration = Duration::from_millis(200);
/// Maximum length of a line.
const LONGEST_LINE: u64 = 64 * 1024;

#[derive(Debug)]
pub(super) struct Program {
    name: String,
    began: Instant,
    process: Child,
    output: BufReader<ChildStdout>,
}

impl Program {
    pub(super) fn start(mut command: Command) -> anyhow::Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let began = Instant::now();
        let mut process = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let output = BufReader::new(process.stdout.take().context("its output is piped")?);
        Ok(Self { name, began, process, output })
    }

    /// Returns the next line and the time from the start to its arrival. Read on this thread to avoid additional
    /// latency.
    pub(super) fn line(&mut self, patience: Duration) -> anyhow::Result<(String, Duration)> {
        let _watchdog = Watchdog::over(&self.process, patience)?;
        let mut line = String::new();
        self.output.by_ref().take(LONGEST_LINE).read_line(&mut line)?;
        let time = self.began.elapsed();
        if line.is_empty() {
            bail!("{} ended without output", self.name);
        }
        Ok((line, time))
    }

    /// Returns the line with the code, which is the first one.
    pub(super) fn code(&mut self) -> anyhow::Result<Duration> {
        let (line, time) = self.line(PATIENCE)?;
        // The example tool prints an object with the code or an error; the floor prints only the code.
        if line.starts_with('{') && !line.contains("\"user_code\"") {
            bail!("{} did not get a code: {line}", self.name);
        }
        Ok(time)
    }

    /// Returns the peak resident memory so far in MB, if `/proc` is available.
    pub(super) fn peak_mb(&self) -> Option<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let kib = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.trim().strip_suffix("kB")?;
        Some(kib.trim().parse::<f64>().ok()? * 1024.0 / 1e6)
    }

    /// Returns [`cpu_ms`] of this process.
    pub(super) fn cpu_ms(&self) -> Option<f64> {
        cpu_ms(&self.process)
    }

    /// Sends SIGINT and returns the time until the process has exited.
    pub(super) fn interrupt(&mut self) -> anyhow::Result<Duration> {
        let _watchdog = Watchdog::over(&self.process, PATIENCE)?;
        let pid = pid(&self.process)?;
        let began = Instant::now();
        kill(pid, Signal::SIGINT)?;
        self.process.wait()?;
        Ok(began.elapsed())
    }

    /// Waits for the end and returns the remaining output.
    pub(super) fn finish(&mut self, patience: Duration) -> anyhow::Result<String> {
        let _watchdog = Watchdog::over(&self.process, patience)?;
        let mut rest = String::new();
        self.output.read_to_string(&mut rest)?;
        let status = self.process.wait()?;
        if !status.success() {
            bail!("{} ended with {status}: {rest}", self.name);
        }
        Ok(rest)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Kills a process that times out, or if this program is interrupted, which ends every wait for the process. Must be
/// dropped before the process is waited for again.
#[derive(Debug)]
pub(super) struct Watchdog {
    _alive: Sender<()>,
}

impl Watchdog {
    pub(super) fn over(process: &Child, patience: Duration) -> anyhow::Result<Self> {
        let pid = pid(process)?;
        let (alive, over) = mpsc::channel::<()>();
        let until = Instant::now() + patience;
        thread::spawn(move || {
            while over.recv_timeout(LOOK) == Err(mpsc::RecvTimeoutError::Timeout) {
                if signals::status().is_some() || Instant::now() > until {
                    let _ = kill(pid, Signal::SIGKILL);
                    return;
                }
            }
        });
        Ok(Self { _alive: alive })
    }
}

fn pid(process: &Child) -> anyhow::Result<Pid> {
    Ok(Pid::from_raw(i32::try_from(process.id())?))
}

/// Returns the processor time in milliseconds of the running threads of a process, if `/proc` is available.
pub(super) fn cpu_ms(process: &Child) -> Option<f64> {
    let tasks = fs::read_dir(format!("/proc/{}/task", process.id())).ok()?;
    tasks
        .filter_map(Result::ok)
        .map(|task| {
            let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
            Some(text.split_whitespace().next()?.parse::<f64>().ok()? / 1e6)
        })
        .sum()
}
