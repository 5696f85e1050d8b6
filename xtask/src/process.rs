//! Child processes with a timeout that end together with this process.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, PipeReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::signals;

/// Polling interval of a wait.
const LOOK: Duration = Duration::from_millis(20);
/// Time between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_secs(15);
/// How long output is still read from the descendants of an exited child.
const LEFTOVERS: Duration = Duration::from_secs(2);
/// Maximum number of output lines kept to explain a failure.
const KEPT_LINES: usize = 400;
/// Maximum number of bytes read of one line.
const LINE_LIMIT: u64 = 64 * 1024;

/// How a child ended, and its last output.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) success: bool,
    /// The last lines of standard output and standard error, in order of arrival.
    pub(crate) tail: String,
}

/// Runs `command` for at most `limit`. `on_line` is called with each line of either stream as it arrives.
pub(crate) fn run(
    mut command: Command,
    limit: Duration,
    mut on_line: impl FnMut(&str),
) -> anyhow::Result<Finished> {
    let name = command.get_program().to_string_lossy().into_owned();
    let (reader, writer) = io::pipe()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
    let mut child = KillOnDrop::spawn_group(&mut command).with_context(|| format!("cannot start {name}"))?;
    // The command holds the write ends of the pipe, which would keep it open.
    drop(command);

    let lines = read_lines(reader);
    let mut tail = VecDeque::new();
    let mut take = |line: String| {
        on_line(&line);
        if tail.len() == KEPT_LINES {
            tail.pop_front();
        }
        tail.push_back(line);
    };
    let began = Instant::now();
    let status = loop {
        match lines.recv_timeout(LOOK) {
            Ok(line) => take(line),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => thread::sleep(LOOK),
        }
        if let Some(status) = child.ended()? {
            break Some(status);
        }
        if signals::received().is_some() {
            bail!("{name} was interrupted");
        }
        if began.elapsed() > limit {
            child.end();
            break None;
        }
    };
    let until = Instant::now() + LEFTOVERS;
    while let Ok(line) = lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
        take(line);
    }
    if status.is_none() {
        take(format!("{name} took longer than {} s and was ended", limit.as_secs()));
    }
    let tail = Vec::from(tail).join("\n");
    Ok(Finished { success: status.is_some_and(|status| status.success()), tail })
}

/// Runs `command` like [`run`] and returns an error with its last output if it fails.
pub(crate) fn succeed(command: Command, limit: Duration) -> anyhow::Result<()> {
    output(command, limit).map(|_| ())
}

/// Runs `command` like [`succeed`] and returns its last output.
pub(crate) fn output(command: Command, limit: Duration) -> anyhow::Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let Finished { success, tail } = run(command, limit, |_| ())?;
    ensure!(success, "{name} failed\n{tail}");
    Ok(tail)
}

/// Runs `command` with this process's own streams and returns its exit status as a shell reports it.
pub(crate) fn run_in_foreground(command: &mut Command) -> anyhow::Result<u8> {
    let name = command.get_program().to_string_lossy().into_owned();
    let mut child = KillOnDrop::spawn(command).with_context(|| format!("cannot start {name}"))?;
    let mut interrupted: Option<Instant> = None;
    loop {
        if let Some(status) = child.ended()? {
            return Ok(number(status));
        }
        if let Some(signal) = signals::received() {
            let since = *interrupted.get_or_insert_with(Instant::now);
            // A terminal sends Ctrl-C to the child too, but another sender may have signalled only this process.
            if since.elapsed() > Duration::from_millis(500) {
                child.signal(Signal::try_from(signal)?);
                interrupted = Some(Instant::now());
            }
        }
        thread::sleep(LOOK);
    }
}

/// Returns the exit status as a shell reports it.
fn number(status: ExitStatus) -> u8 {
    match (status.code(), status.signal()) {
        (Some(code), _) => u8::try_from(code).unwrap_or(u8::MAX),
        (None, Some(signal)) => signals::status_of(signal),
        (None, None) => u8::MAX,
    }
}

fn read_lines(reader: PipeReader) -> Receiver<String> {
    let (sender, receiver) = mpsc::sync_channel(1024);
    thread::spawn(move || {
        let mut reader = BufReader::new(reader);
        let mut bytes = Vec::new();
        loop {
            bytes.clear();
            match reader.by_ref().take(LINE_LIMIT).read_until(b'\n', &mut bytes) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
            let line = String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned();
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

/// A child process that is terminated when this value is dropped.
#[derive(Debug)]
pub(crate) struct KillOnDrop {
    child: Child,
    /// Whether the child leads a process group that is terminated as a whole.
    group: bool,
}

impl KillOnDrop {
    /// Starts `command` in this process's group, so that a terminal's Ctrl-C reaches it.
    fn spawn(command: &mut Command) -> io::Result<Self> {
        Ok(Self { child: command.spawn()?, group: false })
    }

    /// Starts `command` in a process group of its own, so that only this process ends it.
    pub(crate) fn spawn_group(command: &mut Command) -> io::Result<Self> {
        Ok(Self { child: command.process_group(0).spawn()?, group: true })
    }

    /// Takes standard output if it was piped.
    pub(crate) fn take_stdout(&mut self) -> Option<std::process::ChildStdout> {
        self.child.stdout.take()
    }

    fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    fn signal(&self, signal: Signal) {
        let Ok(id) = i32::try_from(self.child.id()) else { return };
        let pid = Pid::from_raw(id);
        // An error means that the process no longer exists, which is the goal.
        let _ = if self.group { killpg(pid, signal) } else { kill(pid, signal) };
    }

    /// Sends SIGTERM, waits, and sends SIGKILL if the process is still running.
    fn end(&mut self) {
        let began = Instant::now();
        self.signal(Signal::SIGTERM);
        while matches!(self.ended(), Ok(None)) {
            if began.elapsed() > GRACE {
                self.signal(Signal::SIGKILL);
                let _ = self.child.wait();
                return;
            }
            thread::sleep(LOOK);
        }
    }
}

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        if matches!(self.ended(), Ok(None)) {
            self.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn both_streams_are_read_in_order() {
        let mut lines = Vec::new();
        let seen = |line: &str| lines.push(line.to_owned());
        let finished =
            run(shell("echo a; echo b >&2; printf c; exit 3"), Duration::from_secs(10), seen).unwrap();
        assert!(!finished.success);
        assert_eq!(lines, ["a", "b", "c"]);
        assert_eq!(finished.tail, "a\nb\nc");
    }

    #[test]
    fn a_child_that_times_out_is_killed_with_its_descendants() {
        let began = Instant::now();
        let mut grandchild = None;
        let seen = |line: &str| grandchild = grandchild.or(line.parse().ok());
        let finished = run(shell("sleep 60 & echo $!; wait"), Duration::from_millis(300), seen).unwrap();
        assert!(!finished.success);
        assert!(finished.tail.contains("was ended"));
        assert!(began.elapsed() < Duration::from_secs(10));
        let pid = Pid::from_raw(grandchild.unwrap());
        let gone = (0..100).any(|_| {
            thread::sleep(LOOK);
            kill(pid, None).is_err()
        });
        assert!(gone);
    }

    #[test]
    fn exit_statuses_are_reported_like_a_shell() {
        assert_eq!(run_in_foreground(&mut shell("exit 4")).unwrap(), 4);
        assert_eq!(run_in_foreground(&mut shell("kill -TERM $$")).unwrap(), 143);
    }
}
