//! The proxy of a request: the client's setting, or what the environment names.
//!
//! Only https requests to other machines use a proxy. A setting that cannot be used is an error that names it: without
//! its proxy, a request would leave on a way that the user did not choose.

use std::{env, fmt, fmt::Write as _, net::IpAddr};

use hyper::Uri;
use reqwest::Proxy;
use url::{Host, Url};
use zeroize::Zeroizing;

use crate::{Error, ErrorKind, Secret};

/// The variables that name a proxy for https, in the order of curl. The first one that is not empty counts.
const VARIABLES: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

/// The variables that name hosts without a proxy.
const EXCEPTIONS: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// The schemes of a proxy, as curl has them.
const SCHEMES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];

/// The port of a SOCKS proxy (RFC 1928 section 3).
const SOCKS_PORT: u16 = 1080;

/// The longest user name and the longest password of a SOCKS proxy, in bytes (RFC 1929 section 2).
const SOCKS_LIMIT: usize = 255;

/// A proxy server.
#[derive(Clone)]
pub(crate) struct ProxyServer {
    /// The address, without credentials.
    url: Url,
    credentials: Option<(String, Secret)>,
    /// The name of the setting, for messages.
    named_by: &'static str,
}

impl fmt::Debug for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProxyServer").field(&self.to_string()).finish()
    }
}

/// Host and port, for messages.
impl fmt::Display for ProxyServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.url.host_str().unwrap_or_default())?;
        self.url.port().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl ProxyServer {
    /// Parses `[scheme://][user[:password]@]host[:port]`. User name and password may be percent-encoded, and may
    /// contain every other character as it is. The error is the reason, to be read after the name of the setting.
    pub(crate) fn parse(text: &str, named_by: &'static str) -> Result<Self, &'static str> {
        let text = text.trim();
        if text.starts_with(['"', '\'']) || text.ends_with(['"', '\'']) {
            return Err("is in quotation marks: remove them");
        }
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            // Desktops write it so. Their applications use SOCKS 5, and leave names to the proxy.
            "socks" => "socks5h",
            scheme => *SCHEMES
                .iter()
                .find(|known| **known == scheme)
                .ok_or("must be an http://, https://, socks5://, socks5h:// or socks4a:// URL")?,
        };
        // A password may contain an @, and a host cannot.
        let (user, server) =
            rest.rsplit_once('@').map_or((None, rest), |(user, server)| (Some(user), server));
        // A URL parser removes some of these.
        if server.contains(|c: char| c.is_control() || c.is_whitespace()) {
            return Err("is not the address of a proxy");
        }
        let url = address(scheme, server)?;
        let credentials = user.map(credentials).transpose()?;
        if let Some((user, password)) = credentials.as_ref().filter(|_| is_socks(scheme)) {
            if scheme.starts_with("socks4") {
                return Err("names a user, which is not supported for SOCKS 4: use socks5h:// or socks5://");
            }
            if user.len() > SOCKS_LIMIT || password.expose().len() > SOCKS_LIMIT {
                return Err("contains a user name or a password of more than 255 bytes");
            }
        }
        Ok(Self { url, credentials, named_by })
    }

    /// Returns the proxy that the environment names.
    fn from_environment() -> Result<Option<Self>, Error> {
        let unusable = |name, why| Error::new(ErrorKind::Proxy, format!("the variable {name} {why}"));
        for name in VARIABLES {
            match env::var(name) {
                Ok(value) if value.trim().is_empty() => {}
                Ok(value) => {
                    // It may contain a password.
                    let value = Zeroizing::new(value);
                    return Self::parse(&value, name).map(Some).map_err(|why| unusable(name, why));
                }
                Err(env::VarError::NotPresent) => {}
                Err(env::VarError::NotUnicode(_)) => return Err(unusable(name, "is not UTF-8")),
            }
        }
        Ok(None)
    }

    /// Returns what reqwest calls a proxy.
    pub(super) fn for_client(&self) -> Result<Proxy, Error> {
        let unusable = || Error::new(ErrorKind::Proxy, format!("{} cannot be used", self.named_by));
        let mut url = self.url.clone();
        if let Some((user, password)) = &self.credentials {
            // reqwest decodes them, also those that its own function puts there without encoding a %.
            url.set_username(&encoded(user)).map_err(|()| unusable())?;
            url.set_password(Some(encoded(password.expose()).as_str())).map_err(|()| unusable())?;
        }
        // Otherwise reqwest would send requests without it: a host of strange characters, or long credentials.
        url.as_str().parse::<Uri>().map_err(|_| unusable())?;
        Proxy::all(url).map_err(|_| unusable())
    }

    /// Returns the error for a server with an IPv6 address as its name: reqwest does not reach it through a proxy.
    pub(super) fn cannot_reach(&self, url: &Url) -> Error {
        let host = url.host_str().unwrap_or_default();
        let message = format!(
            "{host} cannot be reached through the proxy {self}: use the server's name instead of its IPv6 address"
        );
        Error::new(ErrorKind::Proxy, message)
    }

    /// Whether the connection to the proxy itself is encrypted.
    pub(super) fn uses_tls(&self) -> bool {
        self.url.scheme() == "https"
    }

    pub(super) fn scheme(&self) -> &str {
        self.url.scheme()
    }

    pub(super) fn is_socks(&self) -> bool {
        is_socks(self.scheme())
    }

    /// Whether the proxy is told addresses, so that the names of servers are resolved on this machine.
    pub(super) fn wants_addresses(&self) -> bool {
        matches!(self.scheme(), "socks4" | "socks5")
    }

    pub(super) fn has_credentials(&self) -> bool {
        let is_given =
            |(user, password): &(String, Secret)| !(user.is_empty() && password.expose().is_empty());
        self.credentials.as_ref().is_some_and(is_given)
    }

    /// What the user can look at when the proxy does not work.
    pub(super) fn named_by(&self) -> &'static str {
        self.named_by
    }
}

fn is_socks(scheme: &str) -> bool {
    scheme.starts_with("socks")
}

/// Returns the URL of a proxy, from its host and port.
fn address(scheme: &str, server: &str) -> Result<Url, &'static str> {
    let parse = |scheme: &str| {
        Url::parse(&format!("{scheme}://{server}")).map_err(|_| "is not the address of a proxy")
    };
    let more = "is not the address of a proxy: it must end after the host and the port";
    // The host of a scheme that the URL standard does not know would be taken as it is.
    let url = parse(if is_socks(scheme) { "http" } else { scheme })?;
    let host = url.host_str().ok_or(more)?;
    if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        return Err(more);
    }
    if !is_socks(scheme) {
        return Ok(url);
    }
    // The parser drops a scheme's default port, and no port is the default of both.
    let port = url.port().or(parse("https")?.port()).unwrap_or(SOCKS_PORT);
    Url::parse(&format!("{scheme}://{host}:{port}")).map_err(|_| "is not the address of a proxy")
}

fn credentials(text: &str) -> Result<(String, Secret), &'static str> {
    let (user, password) = text.split_once(':').unwrap_or((text, ""));
    let (user, password) = (decoded(user)?, decoded(password)?);
    if user.chars().chain(password.chars()).any(char::is_control) {
        return Err("contains control characters");
    }
    Ok((user, Secret::new(password)))
}

/// Encodes every byte as `%41`.
fn encoded(text: &str) -> Zeroizing<String> {
    let mut encoded = Zeroizing::new(String::with_capacity(text.len().saturating_mul(3)));
    for byte in text.bytes() {
        // Writing into a string does not fail.
        let _ = write!(encoded, "%{byte:02X}");
    }
    encoded
}

/// Decodes `%41`. A `%` that begins no such code stands for itself.
fn decoded(text: &str) -> Result<String, &'static str> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = after.first_chunk::<2>().filter(|_| first == b'%');
        let code = code.and_then(|digits| std::str::from_utf8(digits).ok());
        match code.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit())) {
            Some(digits) => {
                bytes.push(u8::from_str_radix(digits, 16).unwrap_or_default());
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).map_err(|_| "contains credentials that are not UTF-8")
}

/// The proxy of a client, as it was set when the client was first used.
#[derive(Debug)]
pub(super) struct Route {
    proxy: Result<Option<ProxyServer>, Error>,
    exceptions: Exceptions,
}

impl Route {
    /// `setting` is the proxy that the program named. It takes precedence over the environment, with its exceptions.
    pub(super) fn new(setting: Option<ProxyServer>) -> Self {
        if setting.is_some() {
            return Self { proxy: Ok(setting), exceptions: Exceptions::default() };
        }
        let named = |name: &&str| env::var(name).ok().filter(|value| !value.trim().is_empty());
        let exceptions = EXCEPTIONS.iter().find_map(named).unwrap_or_default();
        Self { proxy: ProxyServer::from_environment(), exceptions: Exceptions::parse(&exceptions) }
    }

    /// Returns the proxy for an https request to another machine.
    pub(super) fn proxy_for(&self, url: &Url) -> Result<Option<&ProxyServer>, Error> {
        if self.exceptions.include(url) {
            return Ok(None);
        }
        self.proxy.as_ref().map(Option::as_ref).map_err(Clone::clone)
    }
}

/// Hosts without a proxy: a comma-separated list. `*` is every host; `name` and `.name` are that name and all names
/// below it; `*.name` is the names below it; the rest is IP addresses and networks (`10.0.0.0/8`). Each entry may end
/// with a port.
#[derive(Debug, Default)]
struct Exceptions(Vec<(Pattern, Option<u16>)>);

#[derive(Debug)]
enum Pattern {
    Every,
    /// The name, and whether it counts itself.
    Name(String, bool),
    Network(IpAddr, u32),
}

impl Exceptions {
    fn parse(list: &str) -> Self {
        let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        Self(entries.filter_map(entry).collect())
    }

    fn include(&self, url: &Url) -> bool {
        let Some(host) = url.host() else { return false };
        let port = url.port_or_known_default();
        self.0.iter().any(|(pattern, on)| (on.is_none() || *on == port) && pattern.matches(&host))
    }
}

fn entry(text: &str) -> Option<(Pattern, Option<u16>)> {
    let (host, port) = split_port(text)?;
    let pattern = if host == "*" {
        Pattern::Every
    } else if let Some((address, bits)) = host.split_once('/') {
        Pattern::Network(address.parse().ok()?, bits.parse().ok()?)
    } else if let Ok(address) = host.parse::<IpAddr>() {
        Pattern::Network(address, if address.is_ipv4() { 32 } else { 128 })
    } else {
        let (name, itself) = host.strip_prefix("*.").map_or((host, true), |below| (below, false));
        let name = name.strip_prefix('.').unwrap_or(name).trim_end_matches('.');
        Pattern::Name(name.to_ascii_lowercase(), itself)
    };
    Some((pattern, port))
}

/// Splits `host:port`, `[::1]:port` and `::1`. `None` if the port is no port: the entry must not count for every port.
fn split_port(text: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = match text.strip_prefix('[').and_then(|text| text.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, rest)) => (host, Some(rest.strip_prefix(':')?)),
        None => match text.split_once(':') {
            Some((host, port)) if !port.contains(':') => (host, Some(port)),
            _ => (text, None),
        },
    };
    Some((host, port.map(str::parse).transpose().ok()?))
}

impl Pattern {
    fn matches(&self, host: &Host<&str>) -> bool {
        match (self, host) {
            (Self::Every, _) => true,
            (Self::Name(name, itself), Host::Domain(host)) => {
                let host = host.trim_end_matches('.').to_ascii_lowercase();
                let below = host.strip_suffix(name.as_str()).is_some_and(|rest| rest.ends_with('.'));
                !name.is_empty() && (below || (*itself && host == *name))
            }
            (Self::Network(network, bits), Host::Ipv4(address)) => within(*network, *bits, (*address).into()),
            (Self::Network(network, bits), Host::Ipv6(address)) => within(*network, *bits, (*address).into()),
            _ => false,
        }
    }
}

fn within(network: IpAddr, bits: u32, address: IpAddr) -> bool {
    let (differing, length) = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            (u128::from(network.to_bits() ^ address.to_bits()), 32_u32)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits() ^ address.to_bits(), 128),
        _ => return false,
    };
    length.checked_sub(bits).is_some_and(|rest| differing.checked_shr(rest).unwrap_or_default() == 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<ProxyServer, &'static str> {
        ProxyServer::parse(text, "HTTPS_PROXY")
    }

    #[test]
    fn proxy_urls_may_omit_the_scheme_and_have_no_path() {
        for (text, shown) in [
            ("http://proxy.example:3128", "proxy.example:3128"),
            (" proxy.example:3128 ", "proxy.example:3128"),
            ("HTTPS://proxy.example/", "proxy.example"),
            ("10.0.0.1:8080", "10.0.0.1:8080"),
            ("http://[::1]:8080", "[::1]:8080"),
            ("http://proxy.example:80", "proxy.example"),
            ("https://proxy.example:80", "proxy.example:80"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), shown, "{text}");
        }
        for (text, why) in [
            ("ftp://h", "http://"),
            ("socks6://h", "socks5h://"),
            ("socks5://h/path", "must end"),
            ("socks5://h?x", "must end"),
            ("socks5://", "not the address"),
            ("socks5://a b", "not the address"),
            ("socks5://h:99999", "not the address"),
            ("socks4a://user@h", "socks5h://"),
            ("socks4://user:p@h", "socks5h://"),
            ("socks5://u:p%00@h", "control"),
            ("\"http://h\"", "quotation marks"),
            ("http://[bad", "not the address"),
            ("", "not the address"),
            ("a\nb", "not the address"),
            ("http://a b", "not the address"),
            ("http://", "not the address"),
            ("http://h/path", "must end"),
            ("http://h?x", "must end"),
            ("http://u:p%0a@h", "control"),
            ("http://u:%ff@h", "UTF-8"),
        ] {
            assert!(parse(text).unwrap_err().contains(why), "{text}: {}", parse(text).unwrap_err());
        }
    }

    #[test]
    fn socks_proxies_have_the_schemes_and_the_port_of_curl() {
        for (text, url) in [
            ("socks5://proxy.example:9050", "socks5://proxy.example:9050"),
            ("SOCKS5H://Proxy.Example", "socks5h://proxy.example:1080"),
            ("socks4a://h/", "socks4a://h:1080"),
            ("socks4://10.0.0.1:80", "socks4://10.0.0.1:80"),
            ("socks5://h:443", "socks5://h:443"),
            ("socks5://h:1080", "socks5://h:1080"),
            ("socks://h", "socks5h://h:1080"),
            ("socks5h://user@[::1]", "socks5h://[::1]:1080"),
            ("socks5://b\u{fc}cher.example", "socks5://xn--bcher-kva.example:1080"),
        ] {
            let server = parse(text).unwrap();
            assert_eq!(server.url.as_str(), url, "{text}");
            assert_eq!(format!("socks://{server}").split("://").last(), url.split("://").last());
            assert_eq!(server.wants_addresses(), url.starts_with("socks5:") || url.starts_with("socks4:"));
            server.for_client().unwrap();
        }
    }

    #[test]
    fn a_proxy_that_reqwest_would_ignore_is_an_error() {
        let long = "x".repeat(30_000);
        for text in [&format!("http://u:{long}@h"), "http://a{b", "socks5://a\"b:1"] {
            let error = parse(text).unwrap().for_client().unwrap_err();
            assert_eq!(error.to_string(), "HTTPS_PROXY cannot be used");
        }
    }

    #[test]
    fn socks_credentials_have_at_most_255_bytes() {
        let longest = "\u{fc}".repeat(127) + "x";
        assert!(parse(&format!("socks5://{longest}:{longest}@h")).is_ok());
        for text in [format!("socks5://{longest}x:p@h"), format!("socks5h://u:{longest}x@h")] {
            assert!(parse(&text).unwrap_err().contains("255"), "{text}");
        }
        assert!(parse(&format!("http://{longest}x:{longest}x@h")).is_ok());
    }

    #[test]
    fn proxy_passwords_are_kept_exactly_and_never_printed() {
        for (text, user, password) in [
            ("http://u:p@h", "u", "p"),
            ("http://u@h", "u", ""),
            ("http://u:a#b/c@d?e:f@h:1", "u", "a#b/c@d?e:f"),
            ("http://u:it's\\\"so\"@h", "u", "it's\\\"so\""),
            ("http://me%40corp:100%25%20%zz@h", "me@corp", "100% %zz"),
            ("http://ü:é@h", "ü", "é"),
            ("http://DOMAIN\\user:p@h", "DOMAIN\\user", "p"),
            ("http://DOMAIN%5Cuser:p@h", "DOMAIN\\user", "p"),
            ("socks5://DOMAIN\\user:a#b%3A:@h", "DOMAIN\\user", "a#b::"),
            ("socks5h://:@h", "", ""),
        ] {
            let server = parse(text).unwrap();
            let (found, secret) = server.credentials.as_ref().unwrap();
            assert_eq!((found.as_str(), secret.expose()), (user, password), "{text}");
            assert!(server.url.username().is_empty() && server.url.password().is_none());
            assert!(!format!("{server:?}").contains("a#b"));
            server.for_client().unwrap();
        }
    }

    /// Encodes what a URL must not contain, and sometimes more.
    fn percent_encoded(text: &str, everything: bool) -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() && !everything;
        let code = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02x}") };
        text.bytes().map(code).collect()
    }

    /// Text without control characters.
    const PRINTABLE: &str = "\\PC{0,40}";

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn percent_encoded_credentials_are_kept_exactly(
            user in PRINTABLE,
            password in PRINTABLE,
            scheme in proptest::sample::select(vec!["http", "https", "socks5", "socks5h", "socks"]),
            everything: bool,
        ) {
            let [encoded_user, encoded_password] =
                [&user, &password].map(|text| percent_encoded(text, everything));
            let server = parse(&format!("{scheme}://{encoded_user}:{encoded_password}@h:1"));
            let server = server.unwrap();
            let (found, secret) = server.credentials.as_ref().unwrap();
            prop_assert_eq!((found.as_str(), secret.expose()), (user.as_str(), password.as_str()));
            prop_assert_eq!(server.to_string(), "h:1");
            server.for_client().unwrap();
        }

        #[test]
        fn no_setting_causes_a_panic_or_prints_a_password(
            scheme in "(http|https|socks|socks4|socks4a|socks5|socks5h|ftp|.{0,5})",
            user in ".{0,10}",
            server in "(h|[a-z0-9.:]{0,12}|\\[[0-9a-f:]{0,8}\\]|.{0,12})",
        ) {
            const PASSWORD: &str = "Pass#W0rd";
            match parse(&format!("{scheme}://{user}:{PASSWORD}@{server}")) {
                Ok(server) => {
                    let _ = server.for_client();
                    let shown = format!("{server} {server:?}");
                    prop_assert!(!shown.contains("W0rd"), "{}", shown);
                }
                Err(why) => prop_assert!(!why.contains("W0rd")),
            }
        }
    }

    #[test]
    fn no_proxy_patterns_match_hosts_networks_and_ports() {
        let direct = |list: &str, url: &str| Exceptions::parse(list).include(&Url::parse(url).unwrap());
        for (list, url, expected) in [
            ("*", "https://h/", true),
            ("*", "https://10.0.0.1/", true),
            ("example.com", "https://example.com/", true),
            ("example.com", "https://EXAMPLE.com./", true),
            ("example.com", "https://a.b.example.com/", true),
            ("example.com", "https://notexample.com/", false),
            (".example.com", "https://example.com/", true),
            (".example.com", "https://a.example.com/", true),
            ("*.example.com", "https://example.com/", false),
            ("*.example.com", "https://a.example.com/", true),
            ("example.com:8443", "https://example.com:8443/", true),
            ("example.com:8443", "https://example.com/", false),
            ("example.com:443", "https://example.com/", true),
            ("10.0.0.0/8", "https://10.9.8.7/", true),
            ("10.0.0.0/8", "https://11.0.0.1/", false),
            ("0.0.0.0/0", "https://11.0.0.1/", true),
            ("10.0.0.1", "https://10.0.0.1/", true),
            ("10.0.0.1:8443", "https://10.0.0.1/", false),
            ("10.0.0.0/33", "https://10.0.0.0/", false),
            ("fd00::/8", "https://[fd12::1]/", true),
            ("[fd00::1]:443", "https://[fd00::1]/", true),
            ("fd00::1", "https://[fd00::2]/", false),
            ("fd00::/8", "https://10.0.0.1/", false),
            (" a.example , ,b.example ", "https://b.example/", true),
            ("example.com:99999", "https://example.com/", false),
            ("*:x", "https://example.com/", false),
            ("[fd00::1]:70000", "https://[fd00::1]/", false),
            ("", "https://h/", false),
            (".", "https://h/", false),
        ] {
            assert_eq!(direct(list, url), expected, "{list}: {url}");
        }
    }
}
