//! Resolves names with the operating system's resolver, which only has a blocking interface and therefore needs
//! threads. The names of this machine are resolved here, whatever the system says (RFC 6761 section 6.3).

use std::{
    error::Error as StdError,
    fmt, io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs},
    sync::Arc,
    thread, vec,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::oneshot;

use crate::{platform::with_signals_blocked, protocol::uri::is_localhost};

/// The maximum number of concurrent look-ups of one client. Some may belong to requests that have given up.
const MAX_LOOK_UPS: usize = 64;

/// A resolver that runs each look-up on its own thread. The thread
/// holds a clone of the `Arc`, which counts the look-ups.
#[derive(Debug, Default)]
pub(super) struct SystemResolver(Arc<()>);

/// The name has no address, for the reason that the operating system gave.
#[derive(Debug)]
pub(super) struct Unresolved(io::Error);

impl Unresolved {
    pub(super) fn reason(&self) -> io::Error {
        let text = self.0.to_string();
        // The standard library puts its own words first.
        let reason = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
        io::Error::new(self.0.kind(), reason)
    }
}

impl fmt::Display for Unresolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name could not be resolved")
    }
}

impl StdError for Unresolved {}

impl Resolve for SystemResolver {
    fn resolve(&self, name: Name) -> Resolving {
        if is_localhost(name.as_str()) {
            return Box::pin(async { Ok(this_machine()) });
        }
        let answer = self.look_up(name);
        Box::pin(async move {
            let found = answer.map_err(Unresolved)?.await;
            let found = found.unwrap_or_else(|_| Err(io::Error::other("the look-up ended early")));
            let addresses: Addrs = Box::new(found.map_err(Unresolved)?);
            Ok(addresses)
        })
    }
}

/// Returns the addresses of this machine. The port is set by the caller. IPv4 comes first, because most servers of a
/// developer listen there, and another one may have the same port of IPv6.
fn this_machine() -> Addrs {
    Box::new([(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()].into_iter())
}

/// Puts IPv4 addresses first. A SOCKS proxy is told only one address, and not every one of them reaches IPv6.
#[derive(Debug)]
pub(super) struct Ipv4First<R>(pub(super) Arc<R>);

impl<R: Resolve> Resolve for Ipv4First<R> {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.0.resolve(name);
        Box::pin(async move {
            let mut sorted: Vec<_> = found.await?.collect();
            sorted.sort_by_key(SocketAddr::is_ipv6);
            let addresses: Addrs = Box::new(sorted.into_iter());
            Ok(addresses)
        })
    }
}

type Answer = io::Result<vec::IntoIter<SocketAddr>>;

impl SystemResolver {
    /// Starts a look-up. Fails if there are too many already.
    fn look_up(&self, name: Name) -> io::Result<oneshot::Receiver<Answer>> {
        if Arc::strong_count(&self.0) > MAX_LOOK_UPS {
            return Err(io::Error::new(io::ErrorKind::WouldBlock, "too many look-ups are in progress"));
        }
        let (answer, receiver) = oneshot::channel();
        let under_way = Arc::clone(&self.0);
        let look_up = move || {
            let found = (name.as_str(), 0).to_socket_addrs();
            drop(under_way);
            // The request may have given up.
            let _ = answer.send(found);
        };
        with_signals_blocked(|| thread::Builder::new().name("cli-auth-dns".into()).spawn(look_up))?;
        Ok(receiver)
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;

    struct Fixed(Vec<SocketAddr>);

    impl Resolve for Fixed {
        fn resolve(&self, _name: Name) -> Resolving {
            let addresses: Addrs = Box::new(self.0.clone().into_iter());
            Box::pin(async { Ok(addresses) })
        }
    }

    #[test]
    fn a_socks_proxy_receives_an_ipv4_address_if_there_is_one() {
        let [first, second, third, fourth] =
            ["[2001:db8::1]:0", "192.0.2.2:0", "[2001:db8::2]:0", "192.0.2.1:0"]
                .map(|text| text.parse().unwrap());
        let resolver = Ipv4First(Arc::new(Fixed(vec![first, second, third, fourth])));
        let mut resolving = resolver.resolve("login.test".parse().unwrap());
        let Poll::Ready(found) = resolving.as_mut().poll(&mut Context::from_waker(Waker::noop())) else {
            panic!("the look-up waits");
        };
        assert_eq!(found.unwrap().collect::<Vec<_>>(), [second, fourth, first, third]);
    }
}
