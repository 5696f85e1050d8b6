//! Wakes a waiting step from any thread, and from a signal handler.
//!
//! Uses a pipe instead of an eventfd: the runtime accepts a pipe
//! end without unsafe code, and pipes are the same on every Unix.

use std::{
    io::{self, PipeReader, PipeWriter},
    os::fd::OwnedFd,
};

use nix::{
    errno::Errno,
    fcntl::{FcntlArg, OFlag, fcntl},
    unistd,
};
use tokio::net::unix::pipe;

/// The writing end. [`Wake::wake`] is one system call: no lock, no allocation, `errno` preserved.
#[derive(Debug)]
pub(crate) struct Wake(PipeWriter);

/// The reading end, which the engine listens to.
#[derive(Debug)]
pub(crate) struct Listener(pipe::Receiver);

/// Creates both ends. Must be called inside the engine's runtime.
pub(crate) fn wake_pair() -> io::Result<(Wake, Listener)> {
    let (reader, wake) = open()?;
    let reader = pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?;
    Ok((wake, Listener(reader)))
}

/// Creates a pipe that is closed on exec and whose writing end never blocks.
pub(super) fn open() -> io::Result<(PipeReader, Wake)> {
    let (reader, writer) = io::pipe()?;
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    Ok((reader, Wake(writer)))
}

impl Wake {
    /// Wakes the listener. Async-signal-safe. A full pipe needs no write: the listener has not read it yet.
    pub(crate) fn wake(&self) {
        let errno = Errno::last_raw();
        let _ = unistd::write(&self.0, &[1]);
        Errno::set_raw(errno);
    }
}

impl Listener {
    /// Returns after a [`Wake::wake`]. Several wakes count as one.
    pub(crate) async fn woken(&self) -> io::Result<()> {
        self.0.readable().await?;
        match self.0.try_read(&mut [0; 1024]) {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
            _ => Ok(()),
        }
    }
}
