//! The keychain of macOS, by the system's own program `security`.
//!
//! The keychain remembers which program made an item, and asks the user when another one wants to read it. For a
//! library that program would be the host, such as a Python interpreter, and for a tool that is not signed every new
//! version would be another program. `security` is signed by the system, so the user is never asked.
//!
//! A keychain that is locked in a graphical session still makes the system ask for its password: `security` cannot
//! forbid that. The question disappears with the child, at the limit.

use std::{
    ffi::OsStr,
    io::{self, PipeReader, Read as _, Write as _},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use zeroize::Zeroizing;

use super::{Item, Key, KeyError, KeyStore};

const PROGRAM: &str = "/usr/bin/security";

const READ_LIMIT: Duration = Duration::from_secs(1);
const WRITE_LIMIT: Duration = Duration::from_secs(3);

/// The first and the longest pause between two looks at the child. It usually ends within 50 ms.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// The size of a line that `security -i` reads, in bytes, with what ends it.
const MAX_COMMAND: usize = 4096;

/// The maximum size of the output that is read, in bytes. A key as text has 44.
const MAX_OUTPUT: usize = 1024;

/// The exit statuses of `security`: the last eight bits of the system's error codes.
mod status {
    pub(super) const NO_DEFAULT_KEYCHAIN: i32 = 37; // errSecNoDefaultKeychain, -25307
    pub(super) const INTERACTION_NOT_ALLOWED: i32 = 36; // errSecInteractionNotAllowed, -25308
    pub(super) const ITEM_NOT_FOUND: i32 = 44; // errSecItemNotFound, -25300
    pub(super) const DUPLICATE_ITEM: i32 = 45; // errSecDuplicateItem, -25299
    pub(super) const NO_SUCH_KEYCHAIN: i32 = 50; // errSecNoSuchKeychain, -25294
    pub(super) const AUTHENTICATION_FAILED: i32 = 51; // errSecAuthFailed, -25293
    pub(super) const NOT_AVAILABLE: i32 = 53; // errSecNotAvailable, -25291
    pub(super) const CANCELLED: i32 = 128; // errSecUserCanceled, -128
}

/// The user's keychain.
#[derive(Debug)]
pub(crate) struct Keychain {
    program: PathBuf,
    read_limit: Duration,
    write_limit: Duration,
}

impl Keychain {
    #[cfg_attr(not(target_vendor = "apple"), allow(dead_code, reason = "tests name their own program"))]
    pub(super) fn of_the_user() -> Self {
        Self { program: PROGRAM.into(), read_limit: READ_LIMIT, write_limit: WRITE_LIMIT }
    }

    /// Runs `security` with the arguments and this input. Returns its output.
    fn run(&self, arguments: &[&str], input: &str, limit: Duration) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let deadline = Instant::now() + limit;
        let (mut child, output) = self.start(arguments, input).map_err(Failure::NotStarted)?;
        let mut pause = FIRST_PAUSE;
        loop {
            match child.try_wait() {
                Ok(Some(status)) if status.success() => {
                    return read_available(&output).map_err(Failure::Unknown);
                }
                Ok(Some(status)) => return Err(status.code().map_or(Failure::Killed, Failure::Status)),
                Ok(None) => {}
                Err(error) => return Err(Failure::Unknown(error)),
            }
            let remaining = deadline.saturating_duration_since(Instant::now());
            if remaining.is_zero() {
                // Either may fail only because the child has just ended.
                let _ = child.kill();
                let _ = child.wait();
                return Err(Failure::TimedOut);
            }
            thread::sleep(pause.min(remaining));
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn start(&self, arguments: &[&str], input: &str) -> io::Result<(Child, PipeReader)> {
        let (stdin, mut writer) = io::pipe()?;
        // Before there is a child: a child that ends early would make this raise SIGPIPE. The pipe holds more than
        // the longest command.
        writer.write_all(input.as_bytes())?;
        drop(writer);
        let (output, stdout) = io::pipe()?;
        fcntl(&output, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        let mut command = Command::new(&self.program);
        command.args(arguments.iter().map(OsStr::new)).stdin(stdin).stdout(stdout).stderr(Stdio::null());
        Ok((command.spawn()?, output))
    }
}

impl KeyStore for Keychain {
    fn read(&self, item: &Item) -> Result<Key, KeyError> {
        item.check()?;
        let account = account(item);
        let arguments = ["find-generic-password", "-s", &item.app, "-a", &account, "-w"];
        let output = self.run(&arguments, "", self.read_limit)?;
        Key::from_text(&output).ok_or_else(|| {
            KeyError::Failed("the item of the keychain is not a key of this library".to_owned())
        })
    }

    fn write(&self, item: &Item, key: &Key) -> Result<(), KeyError> {
        item.check()?;
        let command = command_to_add(item, key)?;
        let deadline = Instant::now() + self.write_limit;
        let mut result = self.run(&["-i"], &command, self.write_limit);
        if matches!(result, Err(Failure::Status(status::DUPLICATE_ITEM))) {
            // Another process added it at the same time. Now it can be updated.
            result = self.run(&["-i"], &command, deadline.saturating_duration_since(Instant::now()));
        }
        Ok(result.map(drop)?)
    }

    fn remove(&self, item: &Item) -> Result<(), KeyError> {
        item.check()?;
        let account = account(item);
        let arguments = ["delete-generic-password", "-s", &item.app, "-a", &account];
        match self.run(&arguments, "", self.write_limit) {
            Ok(_) | Err(Failure::Status(status::ITEM_NOT_FOUND)) => Ok(()),
            Err(failure) => Err(failure.into()),
        }
    }
}

/// Why `security` did not succeed.
#[derive(Debug)]
enum Failure {
    NotStarted(io::Error),
    TimedOut,
    Status(i32),
    /// By a signal.
    Killed,
    /// It ran, but what came of it is not known.
    Unknown(io::Error),
}

impl From<Failure> for KeyError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::NotStarted(error) => Self::Unavailable(format!("{PROGRAM} cannot be started: {error}")),
            Failure::TimedOut => Self::TimedOut("the keychain did not respond in time".to_owned()),
            Failure::Killed => Self::Failed(format!("{PROGRAM} was ended by a signal")),
            Failure::Unknown(error) => Self::Failed(format!("the result of {PROGRAM} is not known: {error}")),
            Failure::Status(status::ITEM_NOT_FOUND) => Self::Missing,
            Failure::Status(
                status::INTERACTION_NOT_ALLOWED | status::AUTHENTICATION_FAILED | status::CANCELLED,
            ) => Self::Locked("the keychain is locked".to_owned()),
            Failure::Status(
                status::NO_DEFAULT_KEYCHAIN | status::NO_SUCH_KEYCHAIN | status::NOT_AVAILABLE,
            ) => Self::Unavailable("this user has no keychain".to_owned()),
            Failure::Status(other) => Self::Failed(format!("{PROGRAM} failed with status {other}")),
        }
    }
}

/// Returns the account under which the keychain keeps the key. Service and account together name an item there, so the
/// login belongs into it.
fn account(item: &Item) -> String {
    format!("{} {}", item.account(), item.login_id)
}

/// Returns the command that adds or updates the item. It is passed on standard input: every user of the machine can
/// read the arguments of a program.
fn command_to_add(item: &Item, key: &Key) -> Result<Zeroizing<String>, KeyError> {
    // In one piece of memory: a text that grows leaves copies behind.
    let mut command = Zeroizing::new(String::with_capacity(2 * MAX_COMMAND));
    command.push_str("add-generic-password -U");
    let (account, label, text) = (account(item), item.label(), key.to_text());
    for (option, value) in [("-s", &item.app), ("-a", &account), ("-l", &label), ("-w", &*text)] {
        if command.len() + 2 * value.len() >= MAX_COMMAND {
            return Err(KeyError::Failed("the name of the login is too long for the keychain".to_owned()));
        }
        command.push(' ');
        command.push_str(option);
        command.push_str(" \"");
        for character in value.chars() {
            if matches!(character, '"' | '\\') {
                command.push('\\');
            }
            command.push(character);
        }
        command.push('"');
    }
    command.push('\n');
    Ok(command)
}

/// Reads what a child that has ended wrote. Does not wait, should a child of the child still hold the pipe.
fn read_available(mut output: &PipeReader) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(vec![0; MAX_OUTPUT]);
    let mut size = 0;
    while let Some(rest) = text.get_mut(size..).filter(|rest| !rest.is_empty()) {
        match output.read(rest) {
            Ok(0) => break,
            Ok(read) => size += read,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    text.truncate(size);
    Ok(text)
}

#[cfg(test)]
#[path = "keychain_tests.rs"]
mod tests;
