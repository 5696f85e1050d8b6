//! Where to listen: loopback only.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

/// A loopback address and a port; port 0 is any free one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenAddress {
    socket: SocketAddr,
    by_name: bool,
}

impl Default for ListenAddress {
    fn default() -> ListenAddress {
        ListenAddress { socket: (Ipv4Addr::LOCALHOST, 0).into(), by_name: false }
    }
}

impl ListenAddress {
    pub(crate) fn socket(self) -> SocketAddr {
        self.socket
    }

    /// As it appears in URLs. Certificates and issuers name exactly these.
    pub(crate) fn host(self) -> &'static str {
        match self.socket.ip() {
            _ if self.by_name => "localhost",
            IpAddr::V4(_) => "127.0.0.1",
            IpAddr::V6(_) => "[::1]",
        }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.host(), self.socket.port())
    }
}

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<ListenAddress, String> {
        if let Some(port) = text.strip_prefix("localhost:") {
            let port: u16 = port.parse().map_err(|_| format!("{text}: {port} is no port"))?;
            return Ok(ListenAddress { socket: (Ipv4Addr::LOCALHOST, port).into(), by_name: true });
        }
        let socket: SocketAddr = text
            .parse()
            .map_err(|_| format!("{text}: an address looks like 127.0.0.1:0, [::1]:0 or localhost:0"))?;
        let known = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(std::net::Ipv6Addr::LOCALHOST)];
        if !known.contains(&socket.ip()) {
            return Err(format!("{text}: a test server listens on 127.0.0.1, [::1] or localhost only"));
        }
        Ok(ListenAddress { socket, by_name: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_taken() {
        for (text, host) in
            [("127.0.0.1:0", "127.0.0.1"), ("[::1]:80", "[::1]"), ("localhost:1", "localhost")]
        {
            assert_eq!(text.parse::<ListenAddress>().unwrap().host(), host);
        }
        for text in ["0.0.0.0:0", "[::]:0", "192.0.2.1:1", "example.test:1", "127.0.0.1", "localhost:x", ""] {
            assert!(text.parse::<ListenAddress>().is_err(), "{text}");
        }
    }
}
