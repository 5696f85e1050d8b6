//! A descriptor that is readable while there is something to do, for the event loop of a host.

use std::{
    io::{self, PipeReader},
    os::fd::AsRawFd,
};

use nix::{
    fcntl::{FcntlArg, OFlag, fcntl},
    unistd,
};

use super::wake::{self, Wake};

/// The size of one read.
const READ: usize = 1024;

/// The number of reads that empty a full pipe.
const READS: usize = 64;

/// Both ends of a pipe, non-blocking and closed on exec. Dropping it closes them.
#[derive(Debug)]
pub(crate) struct Readable {
    reader: PipeReader,
    writer: Wake,
}

impl Readable {
    /// Opens the pipe. It is not readable yet.
    pub(crate) fn new() -> io::Result<Self> {
        let (reader, writer) = wake::open()?;
        fcntl(&reader, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok(Self { reader, writer })
    }

    /// Makes it readable. Async-signal-safe, never blocks.
    pub(crate) fn set(&self) {
        self.writer.wake();
    }

    /// Makes it unreadable. Never blocks, however often it is set meanwhile.
    pub(crate) fn clear(&self) {
        for _ in 0..READS {
            if unistd::read(&self.reader, &mut [0; READ]) != Ok(READ) {
                return;
            }
        }
    }

    /// Returns the number of the descriptor that the host watches.
    pub(crate) fn descriptor(&self) -> i32 {
        self.reader.as_raw_fd()
    }
}

#[cfg(test)]
mod tests {
    use nix::errno::Errno;

    use super::*;

    #[test]
    fn it_is_readable_from_a_set_until_it_is_cleared_and_a_full_pipe_blocks_nobody() {
        let readable = Readable::new().unwrap();
        let read = || unistd::read(&readable.reader, &mut [0]);
        readable.clear();
        assert_eq!(read(), Err(Errno::EAGAIN));
        for times in [1, 2, READ, 2 * READS * READ] {
            (0..times).for_each(|_| readable.set());
            assert_eq!(read(), Ok(1), "{times}");
            readable.clear();
            assert_eq!(read(), Err(Errno::EAGAIN), "{times}");
        }
    }
}
