//! Small loopback listeners for what an HTTP server cannot simulate: refused, hanging and forbidden connections.

use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use socket2::{Domain, SockAddr, Socket, Type};

/// How a peer treats connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Manner {
    /// Accepts and sends nothing, so that a TLS handshake or an HTTP request hangs.
    Silent,
    /// Has a full queue, so that a connection attempt hangs.
    Full,
    /// Refuses connections; the port stays reserved.
    Refusing,
    /// Accepts, records the first line and closes: a proxy, or a server that must not be reached.
    Watching,
}

/// A running peer. Dropping it ends its listener but not its open connections.
#[derive(Debug)]
pub(crate) struct Peer {
    port: u16,
    seen: Arc<Mutex<Vec<String>>>,
    /// Keeps the reserved port, the full queue or the listener.
    _held: Held,
}

#[derive(Debug)]
enum Held {
    Reserved { _socket: Socket },
    Full { _listener: Socket, queued: Vec<Socket> },
    Listening { _listener: Arc<TcpListener> },
}

/// Maximum number of connections that the queue of a listener without a backlog may take.
const MOST_FILLERS: usize = 16;
/// Maximum time that a peer reads from one connection.
const PATIENCE: Duration = Duration::from_secs(120);
/// Maximum number of bytes of a first line that are kept.
const LINE_LIMIT: u64 = 4096;

impl Peer {
    pub(crate) fn start(manner: Manner) -> io::Result<Self> {
        match manner {
            Manner::Refusing => {
                let socket = bound_socket()?;
                Ok(Self {
                    port: port_of(&socket)?,
                    seen: Arc::default(),
                    _held: Held::Reserved { _socket: socket },
                })
            }
            Manner::Full => full(),
            Manner::Silent | Manner::Watching => listening(manner),
        }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Returns the first line of every connection so far, empty for a connection without a readable line. A full queue
    /// has one empty line once an attempt to connect to it was seen to hang.
    pub(crate) fn seen(&self) -> Vec<String> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if let Held::Full { queued, .. } = &self._held
            && seen.is_empty()
            && hangs_at(self.port, queued)
        {
            seen.push(String::new());
        }
        seen.clone()
    }
}

fn bound_socket() -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&SockAddr::from(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))))?;
    Ok(socket)
}

fn port_of(socket: &Socket) -> io::Result<u16> {
    let address = socket.local_addr()?.as_socket();
    address.map(|address| address.port()).ok_or_else(|| io::Error::other("no socket address"))
}

/// Fills the queue of a listener that never accepts; Linux then ignores further attempts.
fn full() -> io::Result<Peer> {
    let listener = bound_socket()?;
    listener.listen(0)?;
    let address = listener.local_addr()?;
    let mut queued = Vec::new();
    loop {
        let filler = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        filler.set_nonblocking(true)?;
        // The expected result is "in progress".
        let _ = filler.connect(&address);
        // On this machine, a connection that is possible takes much less time.
        thread::sleep(Duration::from_millis(100));
        let hangs = filler.peer_addr().is_err();
        queued.push(filler);
        if hangs {
            break;
        }
        if queued.len() > MOST_FILLERS {
            return Err(io::Error::other("the queue of a listener is never full"));
        }
    }
    let port = port_of(&listener)?;
    Ok(Peer { port, seen: Arc::default(), _held: Held::Full { _listener: listener, queued } })
}

/// Returns whether others attempt to connect to a port, according to Linux's table of connections.
fn hangs_at(port: u16, ours: &[Socket]) -> bool {
    const SYN_SENT: &str = "02";
    let remote = format!("0100007F:{port:04X}");
    let ours: Vec<_> =
        ours.iter().filter_map(|socket| port_of(socket).ok()).map(|port| format!(":{port:04X}")).collect();
    let table = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let is_attempt = |line: &&str| {
        let mut columns = line.split_ascii_whitespace().skip(1);
        let (local, to, state) = (columns.next(), columns.next(), columns.next());
        to == Some(&remote)
            && state == Some(SYN_SENT)
            && local.is_some_and(|local| !ours.iter().any(|port| local.ends_with(port)))
    };
    table.lines().any(|line| is_attempt(&line))
}

fn listening(manner: Manner) -> io::Result<Peer> {
    let listener = Arc::new(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?);
    let port = listener.local_addr()?.port();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (heard, socket) = (Arc::clone(&seen), Arc::clone(&listener));
    // The thread runs until the process ends. A listener without connections costs only one sleeping thread.
    thread::spawn(move || {
        while let Ok((stream, _)) = socket.accept() {
            let heard = Arc::clone(&heard);
            thread::spawn(move || receive(manner, &stream, &heard));
        }
    });
    Ok(Peer { port, seen, _held: Held::Listening { _listener: listener } })
}

fn receive(manner: Manner, stream: &TcpStream, heard: &Mutex<Vec<String>>) {
    let note = |line: String| heard.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    let _ = stream.set_read_timeout(Some(PATIENCE));
    match manner {
        Manner::Watching => {
            let mut line = Vec::new();
            let _ = BufReader::new(stream.take(LINE_LIMIT)).read_until(b'\n', &mut line);
            note(String::from_utf8_lossy(&line).trim_end().to_owned());
        }
        _ => {
            note(String::new());
            let mut sink = [0_u8; 1024];
            let mut reader = stream;
            while matches!(reader.read(&mut sink), Ok(count) if count > 0) {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::time::Instant;

    fn address(peer: &Peer) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, peer.port()))
    }

    fn wait_for(peer: &Peer, count: usize) -> Vec<String> {
        let end = Instant::now() + Duration::from_secs(5);
        while peer.seen().len() < count && Instant::now() < end {
            thread::sleep(Duration::from_millis(5));
        }
        peer.seen()
    }

    #[test]
    fn a_full_queue_makes_a_connection_hang() {
        let peer = Peer::start(Manner::Full).unwrap();
        assert!(peer.seen().is_empty());
        let attempt = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        attempt.set_nonblocking(true).unwrap();
        attempt.connect(&SockAddr::from(address(&peer))).unwrap_err();
        assert_eq!(wait_for(&peer, 1).len(), 1);
        drop(attempt);
        let refused = TcpStream::connect_timeout(&address(&peer), Duration::from_millis(300)).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn a_refusing_peer_refuses_connections() {
        let peer = Peer::start(Manner::Refusing).unwrap();
        let refused = TcpStream::connect(address(&peer)).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    }

    #[test]
    fn a_watching_peer_records_the_first_line() {
        let peer = Peer::start(Manner::Watching).unwrap();
        assert!(peer.seen().is_empty());
        let mut stream = TcpStream::connect(address(&peer)).unwrap();
        stream.write_all(b"CONNECT a.example:443 HTTP/1.1\r\nHost: x\r\n").unwrap();
        assert_eq!(wait_for(&peer, 1), ["CONNECT a.example:443 HTTP/1.1"]);
    }

    #[test]
    fn a_silent_peer_counts_connections_and_sends_nothing() {
        let peer = Peer::start(Manner::Silent).unwrap();
        let mut stream = TcpStream::connect(address(&peer)).unwrap();
        assert_eq!(wait_for(&peer, 1), [""]);
        stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        assert!(stream.read(&mut [0]).is_err());
    }
}
