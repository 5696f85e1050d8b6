//! The example tool as a child process: timed output streams, signals and exit.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{Winsize, openpty};
use nix::sys::signal::{self, Signal};
use nix::unistd::Pid;

use crate::case::SignalName;

/// The output on one stream, with the time of each piece.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stream {
    bytes: Vec<u8>,
    /// The length after each piece, and when it arrived.
    pieces: Vec<(usize, Instant)>,
}

/// Maximum number of bytes kept per stream, more than a correct tool writes. The rest is read and discarded.
const STREAM_LIMIT: usize = 8 << 20;

/// Polling interval for the exit when no stream is left that would signal it.
const CLOSED_LOOK: Duration = Duration::from_millis(3);

impl Stream {
    pub(crate) fn push(&mut self, piece: &[u8], at: Instant) {
        if self.bytes.len() < STREAM_LIMIT {
            self.bytes.extend_from_slice(piece);
            self.pieces.push((self.bytes.len(), at));
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// Returns the complete lines, each with the time at which it was complete, then any incomplete line.
    pub(crate) fn lines(&self) -> Vec<(String, Option<Instant>)> {
        let mut end = 0;
        self.bytes
            .split_inclusive(|byte| *byte == b'\n')
            .map(|line| {
                end += line.len();
                let at = self.pieces.iter().find(|(length, _)| *length >= end).map(|(_, at)| *at);
                let text = String::from_utf8_lossy(line);
                (text.trim_end_matches(['\n', '\r']).to_owned(), at)
            })
            .collect()
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Status(i32),
    Signal(i32),
    /// The process was killed because it exceeded the time limit of the case.
    TimedOut,
}

/// How the tool is started.
#[derive(Debug)]
pub(crate) struct Start<'a> {
    pub(crate) program: &'a str,
    pub(crate) args: &'a [String],
    /// Variables to set, or with `None` to remove.
    pub(crate) env: &'a [(String, Option<String>)],
    /// The width of the terminal on standard input and standard error. `None` for no terminal.
    pub(crate) columns: Option<u16>,
}

/// The running tool.
#[derive(Debug)]
pub(crate) struct Tool {
    child: Child,
    stdout_from: Option<File>,
    stderr_from: Option<File>,
    pub(crate) stdout: Stream,
    pub(crate) stderr: Stream,
    pub(crate) started: Instant,
    /// Highest resident memory observed, in kB.
    pub(crate) peak_rss_kb: u64,
}

impl Tool {
    pub(crate) fn start(start: &Start<'_>) -> io::Result<Self> {
        let mut command = Command::new(start.program);
        command.args(start.args).stdout(Stdio::piped()).process_group(0);
        for (name, value) in start.env {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let mut screen = None;
        if let Some(ws_col) = start.columns {
            let size = Winsize { ws_row: 40, ws_col, ws_xpixel: 0, ws_ypixel: 0 };
            let pty = openpty(Some(&size), None)?;
            command.stdin(pty.slave.try_clone()?).stderr(pty.slave);
            screen = Some(File::from(pty.master));
        } else {
            command.stdin(Stdio::null()).stderr(Stdio::piped());
        }
        let started = Instant::now();
        let mut child = command.spawn()?;
        // Dropped because `command` holds the other end of the terminal, which must be closed to detect the end.
        drop(command);
        let stdout_from = child.stdout.take().map(|pipe| File::from(OwnedFd::from(pipe)));
        let stderr_from = screen.or_else(|| child.stderr.take().map(|pipe| File::from(OwnedFd::from(pipe))));
        Ok(Self {
            child,
            stdout_from,
            stderr_from,
            stdout: Stream::default(),
            stderr: Stream::default(),
            started,
            peak_rss_kb: 0,
        })
    }

    /// Reads what is written within `patience`.
    pub(crate) fn read(&mut self, patience: Duration) {
        let timeout = PollTimeout::try_from(patience).unwrap_or(PollTimeout::ZERO);
        let (mut out_ready, mut err_ready) = (false, false);
        {
            let mut watched = Vec::new();
            for file in [&self.stdout_from, &self.stderr_from].into_iter().flatten() {
                watched.push(PollFd::new(file.as_fd(), PollFlags::POLLIN));
            }
            if watched.is_empty() {
                // Both streams are closed: the tool is exiting, or the case closed them.
                std::thread::sleep(patience.min(CLOSED_LOOK));
                return;
            }
            if poll(&mut watched, timeout).is_err() {
                return;
            }
            let mut ready = watched.iter().map(|fd| fd.any().unwrap_or(false));
            if self.stdout_from.is_some() {
                out_ready = ready.next().unwrap_or(false);
            }
            if self.stderr_from.is_some() {
                err_ready = ready.next().unwrap_or(false);
            }
        }
        if out_ready {
            take(&mut self.stdout_from, &mut self.stdout);
        }
        if err_ready {
            take(&mut self.stderr_from, &mut self.stderr);
        }
    }

    /// Reads what is left after the exit, without waiting for child processes that keep a stream open.
    pub(crate) fn read_rest(&mut self) {
        let limit = Instant::now() + Duration::from_millis(300);
        while (self.stdout_from.is_some() || self.stderr_from.is_some()) && Instant::now() < limit {
            self.read(Duration::from_millis(20));
        }
    }

    pub(crate) fn close_stdout(&mut self) {
        self.stdout_from = None;
    }

    pub(crate) fn signal(&self, name: SignalName) -> io::Result<()> {
        let signal = match name {
            SignalName::Int => Signal::SIGINT,
            SignalName::Term => Signal::SIGTERM,
            SignalName::Stop => Signal::SIGSTOP,
            SignalName::Cont => Signal::SIGCONT,
            SignalName::Kill => Signal::SIGKILL,
        };
        Ok(signal::kill(self.pid()?, signal)?)
    }

    /// Returns how the process ended, if it has.
    pub(crate) fn ended(&mut self) -> io::Result<Option<End>> {
        let status = self.child.try_wait()?;
        Ok(status.map(|status| match status.code() {
            Some(code) => End::Status(code),
            None => End::Signal(status.signal().unwrap_or(0)),
        }))
    }

    pub(crate) fn note_memory(&mut self) {
        let path = format!("/proc/{}/status", self.child.id());
        let status = fs::read_to_string(path).unwrap_or_default();
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kb = peak.and_then(|rest| rest.split_whitespace().next()).and_then(|number| number.parse().ok());
        self.peak_rss_kb = self.peak_rss_kb.max(kb.unwrap_or(0));
    }

    /// Kills the process and everything that it started.
    pub(crate) fn kill(&mut self) {
        if let Ok(pid) = self.pid() {
            let _ = signal::killpg(pid, Signal::SIGKILL);
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn pid(&self) -> io::Result<Pid> {
        i32::try_from(self.child.id()).map(Pid::from_raw).map_err(io::Error::other)
    }
}

/// Reads once and drops the file at its end. Reading a terminal without a writer fails with EIO.
fn take(from: &mut Option<File>, into: &mut Stream) {
    let Some(file) = from else { return };
    let mut buffer = [0_u8; 16384];
    match file.read(&mut buffer) {
        Ok(0) => *from = None,
        Ok(count) => into.push(buffer.get(..count).unwrap_or_default(), Instant::now()),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
        Err(_) => *from = None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str, terminal: bool, after: impl Fn(&mut Tool)) -> (End, Tool) {
        let args = ["-c".to_owned(), script.to_owned()];
        let mut tool = Tool::start(&Start {
            program: "/bin/sh",
            args: &args,
            env: &[],
            columns: terminal.then_some(100),
        })
        .unwrap();
        after(&mut tool);
        let limit = Instant::now() + Duration::from_secs(10);
        loop {
            tool.read(Duration::from_millis(5));
            if let Some(end) = tool.ended().unwrap() {
                tool.read_rest();
                return (end, tool);
            }
            assert!(Instant::now() < limit);
        }
    }

    #[test]
    fn streams_and_exit_status_are_captured() {
        let (end, tool) = run("echo one; echo two >&2; exit 7", false, |_| ());
        assert_eq!(end, End::Status(7));
        assert_eq!(tool.stdout.text(), "one\n");
        assert_eq!(tool.stderr.text(), "two\n");
    }

    #[test]
    fn lines_have_their_arrival_times() {
        let (_, tool) = run("echo one; sleep 0.3; printf two", false, |_| ());
        let lines = tool.stdout.lines();
        assert_eq!(lines.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>(), ["one", "two"]);
        assert!(lines[1].1.unwrap() - lines[0].1.unwrap() > Duration::from_millis(200));
    }

    #[test]
    fn a_signal_reaches_the_tool() {
        let (end, _) = run("trap 'exit 5' INT; echo; while :; do sleep 0.05; done", false, |tool| {
            tool.read(Duration::from_secs(5));
            tool.signal(SignalName::Int).unwrap();
        });
        assert_eq!(end, End::Status(5));
        let (end, _) = run("sleep 20", false, |tool| tool.signal(SignalName::Term).unwrap());
        assert_eq!(end, End::Signal(15));
    }

    #[test]
    fn only_the_requested_streams_are_a_terminal() {
        let script = "test -t 2 && test -t 0 && ! test -t 1 && echo yes >&2";
        let (end, tool) = run(script, true, |_| ());
        assert_eq!(end, End::Status(0));
        assert_eq!(tool.stderr.text().trim(), "yes");
        assert_eq!(run("test -t 2", false, |_| ()).0, End::Status(1));
    }

    #[test]
    fn close_stdout_breaks_the_pipe() {
        let (end, _) = run("sleep 0.2; trap '' PIPE; echo x || exit 9", false, Tool::close_stdout);
        assert_eq!(end, End::Status(9));
    }
}
