//! One connection to a bus: connects, authenticates, sends calls and waits for their replies.

use std::{
    io::{self, Read as _},
    time::{Duration, Instant},
};

use nix::libc::MSG_NOSIGNAL;
use socket2::{Domain, SockAddr, Socket, Type};
use zeroize::Zeroizing;

use super::{
    Address, Error, Reply,
    wire::{self, Call, Kind, Writer},
};

/// The maximum size of a line of the authentication, in bytes.
const MAX_LINE: usize = 1024;

/// The shortest timeout of a system call. Zero would be none.
const SHORTEST: Duration = Duration::from_millis(1);

/// A connection that is ready for calls. Dropping it closes it.
#[derive(Debug)]
pub(crate) struct Connection {
    socket: Socket,
    /// Applies to everything: connecting, authenticating and every call.
    deadline: Instant,
    serial: u32,
}

impl Connection {
    /// Connects to the first address that accepts, and authenticates as the user of this process.
    pub(crate) fn open(addresses: &[Address], deadline: Instant) -> Result<Self, Error> {
        let mut reason = Error::Unreachable("there is no session bus".to_owned());
        for address in addresses {
            match Self::connect(address, deadline) {
                Ok(socket) => {
                    let mut connection = Self { socket, deadline, serial: 0 };
                    connection.authenticate()?;
                    return Ok(connection);
                }
                Err(Error::TimedOut) => return Err(Error::TimedOut),
                Err(error) => reason = error,
            }
        }
        Err(reason)
    }

    fn connect(address: &Address, deadline: Instant) -> Result<Socket, Error> {
        let unreachable = |error: io::Error| {
            let path = address.path().to_string_lossy().replace('\0', "@");
            Error::Unreachable(format!("the session bus at {path} cannot be reached: {error}"))
        };
        let name = SockAddr::unix(address.path()).map_err(unreachable)?;
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).map_err(unreachable)?;
        loop {
            // Connecting waits while the queue of the listener is full. The timeout of writes limits that.
            socket.set_write_timeout(Some(remaining(deadline)?)).map_err(unreachable)?;
            match socket.connect(&name) {
                Ok(()) => return Ok(socket),
                Err(error) if is_temporary(&error) => {}
                Err(error) => return Err(unreachable(error)),
            }
        }
    }

    /// Authenticates with the mechanism EXTERNAL: the bus asks the kernel who has connected.
    fn authenticate(&mut self) -> Result<(), Error> {
        let user = nix::unistd::geteuid().to_string();
        let user: String = user.bytes().map(|digit| format!("{digit:02x}")).collect();
        self.send(format!("\0AUTH EXTERNAL {user}\r\n").as_bytes())?;
        let line = self.line()?;
        match line.split(|byte| *byte == b' ').next() {
            Some(b"OK") => self.send(b"BEGIN\r\n"),
            Some(b"REJECTED") => Err(Error::Refused),
            _ => Err(Error::Invalid),
        }
    }

    /// Reads a line and nothing beyond it.
    fn line(&mut self) -> Result<Vec<u8>, Error> {
        let mut line = Vec::new();
        while line.len() < MAX_LINE {
            let mut byte = [0];
            self.fill(&mut byte)?;
            line.extend_from_slice(&byte);
            if let Some(text) = line.strip_suffix(b"\r\n") {
                return Ok(text.to_vec());
            }
        }
        Err(Error::Invalid)
    }

    /// Calls a method and waits for its reply. Skips everything else that the bus sends meanwhile.
    pub(crate) fn call(&mut self, call: &Call<'_>, body: impl FnOnce(&mut Writer)) -> Result<Reply, Error> {
        self.serial = self.serial.wrapping_add(1).max(1);
        self.send(&call.message(self.serial, body))?;
        loop {
            let bytes = self.receive()?;
            let message = wire::parse(&bytes).ok_or(Error::Invalid)?;
            match message.kind {
                _ if message.reply_serial != Some(self.serial) => {}
                Kind::Return => return Ok(Reply(bytes)),
                Kind::Error => {
                    return Err(Error::Remote(message.error_name.ok_or(Error::Invalid)?.to_owned()));
                }
                Kind::Other => {}
            }
        }
    }

    /// Reads one message.
    fn receive(&mut self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut fixed = [0; wire::FIXED];
        self.fill(&mut fixed)?;
        let size = wire::size(&fixed).ok_or(Error::Invalid)?;
        let mut message = Zeroizing::new(vec![0; size]);
        let (start, rest) = message.split_at_mut_checked(fixed.len()).ok_or(Error::Invalid)?;
        start.copy_from_slice(&fixed);
        self.fill(rest)?;
        Ok(message)
    }

    fn send(&mut self, mut bytes: &[u8]) -> Result<(), Error> {
        while !bytes.is_empty() {
            self.socket.set_write_timeout(Some(remaining(self.deadline)?)).map_err(|_| Error::Closed)?;
            // In a program of another language, a connection that the bus closed would otherwise raise SIGPIPE.
            match self.socket.send_with_flags(bytes, MSG_NOSIGNAL) {
                Ok(sent) => bytes = bytes.get(sent..).unwrap_or_default(),
                Err(error) if is_temporary(&error) => {}
                Err(_) => return Err(Error::Closed),
            }
        }
        Ok(())
    }

    fn fill(&mut self, mut place: &mut [u8]) -> Result<(), Error> {
        while !place.is_empty() {
            self.socket.set_read_timeout(Some(remaining(self.deadline)?)).map_err(|_| Error::Closed)?;
            match self.socket.read(place) {
                Ok(0) => return Err(Error::Closed),
                Ok(size) => place = place.get_mut(size..).unwrap_or_default(),
                Err(error) if is_temporary(&error) => {}
                Err(_) => return Err(Error::Closed),
            }
        }
        Ok(())
    }
}

/// Returns the time until the deadline as the timeout of a system call.
fn remaining(deadline: Instant) -> Result<Duration, Error> {
    let remaining = deadline.saturating_duration_since(Instant::now());
    if remaining.is_zero() { Err(Error::TimedOut) } else { Ok(remaining.max(SHORTEST)) }
}

/// A signal, or the timeout of the system call. The deadline decides what follows.
fn is_temporary(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock)
}
