//! Small loopback listeners for what an HTTP server cannot simulate: refused, hanging and forbidden connections.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use socket2::{Domain, SockAddr, Socket, Type};

use crate::socks::{self, Users};

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
    /// A SOCKS proxy that connects to this machine, whatever it is asked for, and records what that was.
    Socks,
    /// A SOCKS proxy that accepts no password.
    SocksLocked,
    /// Sends an HTTP response as soon as it was sent something.
    Http,
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
            _ => listening(manner),
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
        Manner::Socks | Manner::SocksLocked => {
            let users = if manner == Manner::Socks { Users::Every } else { Users::Nobody };
            let (line, is_accepted) = socks::negotiate(stream, users).unwrap_or_default();
            note(line.trim_end().to_owned());
            if is_accepted {
                let _ = socks::relay(stream, &line);
            }
        }
        _ => {
            note(String::new());
            if manner == Manner::Http {
                let mut reply = stream;
                let _ = reply.read_exact(&mut [0]);
                let _ = reply.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
            }
            let mut sink = [0_u8; 1024];
            let mut reader = stream;
            while matches!(reader.read(&mut sink), Ok(count) if count > 0) {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
    fn a_socks_peer_records_what_it_was_asked_for_and_connects_to_this_machine() {
        let server = Peer::start(Manner::Http).unwrap();
        let [high, low] = server.port().to_be_bytes();
        let port = [high, low];
        let asked = |manner, messages: &[&[u8]]| {
            let peer = Peer::start(manner).unwrap();
            let mut stream = TcpStream::connect(address(&peer)).unwrap();
            messages.iter().for_each(|message| stream.write_all(message).unwrap());
            // What no proxy reads, so that the server responds.
            let _ = stream.write_all(b"x");
            let seen = wait_for(&peer, 1);
            let mut received = Vec::new();
            let mut buffer = [0; 64];
            while !received.ends_with(b"Bad Request\r\n\r\n") {
                match stream.read(&mut buffer) {
                    Ok(count) if count > 0 => received.extend(&buffer[..count]),
                    _ => break,
                }
            }
            let relayed = String::from_utf8_lossy(&received).contains("Bad Request");
            (seen[0].replace(&format!(":{}", server.port()), ":PORT"), relayed)
        };
        let name = [b"\x05\x01\x00\x03\x06a.test".as_slice(), &port].concat();
        let seen = asked(Manner::Socks, &[&[5, 1, 0], &name]);
        assert_eq!(seen, ("SOCKS5 name a.test:PORT".to_owned(), true));
        let seen = asked(Manner::Socks, &[&[5, 1, 2], b"\x01\x01u\x02p:", &name]);
        assert_eq!(seen, ("SOCKS5 u:p: name a.test:PORT".to_owned(), true));
        let seen = asked(Manner::SocksLocked, &[&[5, 2, 0, 2], b"\x01\x01u\x01p"]);
        assert_eq!(seen, ("SOCKS5 u:p".to_owned(), false));
        let seen = asked(Manner::SocksLocked, &[&[5, 1, 0]]);
        assert_eq!(seen, ("SOCKS5 no authentication".to_owned(), false));
        let address = [&[5, 1, 0, 1, 192, 0, 2, 1], port.as_slice()].concat();
        let seen = asked(Manner::Socks, &[&[5, 1, 0], &address]);
        assert_eq!(seen, ("SOCKS5 address 192.0.2.1:PORT".to_owned(), true));
        let name = [&[4, 1], port.as_slice(), b"\0\0\0\xffuser\0a.test\0"].concat();
        assert_eq!(asked(Manner::Socks, &[&name]), ("SOCKS4 name a.test:PORT".to_owned(), true));
        let address = [&[4, 1], port.as_slice(), b"\xc0\0\x02\x01\0"].concat();
        assert_eq!(asked(Manner::Socks, &[&address]), ("SOCKS4 address 192.0.2.1:PORT".to_owned(), true));
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
