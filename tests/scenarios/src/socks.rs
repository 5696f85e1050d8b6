//! A SOCKS proxy, versions 4, 4a and 5. Every server that it is asked for is this machine.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, TcpStream};
use std::thread;

/// Which users the proxy accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Users {
    /// Those who send no password, and those who insist on sending one.
    Every,
    /// None, after it has asked for the password.
    Nobody,
}

const NO_AUTHENTICATION: u8 = 0;
const PASSWORD: u8 = 2;

/// Reads the client's messages up to its request, and returns a line that says what it sent, for example
/// `SOCKS5 user:password name login.test:443`. `true` if the request may be carried out.
pub(crate) fn negotiate(stream: &TcpStream, users: Users) -> io::Result<(String, bool)> {
    match byte(stream)? {
        4 => version_4(stream).map(|line| (line, true)),
        5 => version_5(stream, users),
        version => Err(io::Error::other(format!("version {version}"))),
    }
}

/// Accepts the request of `line`, and passes bytes on until either side ends.
pub(crate) fn relay(stream: &TcpStream, line: &str) -> io::Result<()> {
    let port = line.rsplit(':').next().and_then(|port| port.parse::<u16>().ok());
    let server = TcpStream::connect((Ipv4Addr::LOCALHOST, port.unwrap_or_default()))?;
    let accepted: &[u8] =
        if line.starts_with("SOCKS4") { &[0, 90, 0, 0, 0, 0, 0, 0] } else { &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0] };
    send(stream, accepted)?;
    let (upload, sink) = (stream.try_clone()?, server.try_clone()?);
    thread::spawn(move || pass_on(&upload, &sink));
    pass_on(&server, stream);
    Ok(())
}

fn pass_on(mut from: &TcpStream, mut to: &TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

fn version_4(stream: &TcpStream) -> io::Result<String> {
    if byte(stream)? != 1 {
        return Err(io::Error::other("no CONNECT"));
    }
    let port = u16::from_be_bytes(bytes(stream)?);
    let address = bytes::<4>(stream)?;
    let _user = zero_ended(stream)?;
    // Version 4a: an address that cannot be one announces a name.
    Ok(match address {
        [0, 0, 0, last] if last != 0 => format!("SOCKS4 name {}:{port}", zero_ended(stream)?),
        _ => format!("SOCKS4 address {}:{port}", Ipv4Addr::from(address)),
    })
}

fn version_5(stream: &TcpStream, users: Users) -> io::Result<(String, bool)> {
    let methods = counted(stream)?;
    let mut line = "SOCKS5 ".to_owned();
    let method = match users {
        Users::Every if methods.contains(&NO_AUTHENTICATION) => NO_AUTHENTICATION,
        _ if methods.contains(&PASSWORD) => PASSWORD,
        _ => {
            send(stream, &[5, 255])?;
            return Ok((line + "no authentication", false));
        }
    };
    send(stream, &[5, method])?;
    if method == PASSWORD {
        let _version = byte(stream)?;
        let (user, password) = (counted(stream)?, counted(stream)?);
        line += &format!("{}:{} ", String::from_utf8_lossy(&user), String::from_utf8_lossy(&password));
        send(stream, &[1, u8::from(users == Users::Nobody)])?;
        if users == Users::Nobody {
            return Ok((line, false));
        }
    }
    let [_version, _command, _reserved, kind] = bytes(stream)?;
    line += &match kind {
        1 => format!("address {}", Ipv4Addr::from(bytes::<4>(stream)?)),
        3 => format!("name {}", String::from_utf8_lossy(&counted(stream)?)),
        _ => format!("address [{}]", Ipv6Addr::from(bytes::<16>(stream)?)),
    };
    Ok((format!("{line}:{}", u16::from_be_bytes(bytes(stream)?)), true))
}

fn send(mut stream: &TcpStream, message: &[u8]) -> io::Result<()> {
    stream.write_all(message)
}

fn bytes<const N: usize>(mut stream: &TcpStream) -> io::Result<[u8; N]> {
    let mut read = [0; N];
    stream.read_exact(&mut read)?;
    Ok(read)
}

fn byte(stream: &TcpStream) -> io::Result<u8> {
    bytes(stream).map(|[read]| read)
}

/// Reads a length and as many bytes.
fn counted(mut stream: &TcpStream) -> io::Result<Vec<u8>> {
    let mut read = vec![0; byte(stream)?.into()];
    stream.read_exact(&mut read)?;
    Ok(read)
}

/// Reads up to a zero.
fn zero_ended(stream: &TcpStream) -> io::Result<String> {
    let mut read = Vec::new();
    loop {
        match byte(stream)? {
            0 => return Ok(String::from_utf8_lossy(&read).into_owned()),
            next => read.push(next),
        }
    }
}
