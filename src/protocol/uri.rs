//! Checks of the URLs that are requested, shown and opened.

use std::net::IpAddr;

use url::{Host, Url};

/// Whether plain http to this machine is allowed. It is for tests and local development only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loopback {
    Refused,
    Allowed,
}

/// Returns whether a URL's host is this machine: `localhost`, a name below it, `127.0.0.0/8` or `::1`.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => is_localhost(name),
        Some(Host::Ipv4(ip)) => IpAddr::from(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::from(ip).is_loopback(),
        None => false,
    }
}

/// Returns whether a name is `localhost` or below it. Such names are always this machine (RFC 6761 section 6.3).
pub(crate) fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let last = name.rsplit('.').next().unwrap_or_default();
    last.eq_ignore_ascii_case("localhost")
}

/// Parses a URL that requests are sent to. A query is kept and a fragment is refused (RFC 6749 sections 3.1 and 3.2).
/// The error says what is wrong, to be read after the name of the setting.
pub(crate) fn endpoint(text: &str, loopback: Loopback) -> Result<Url, &'static str> {
    let url = secure(text, loopback)?;
    if url.fragment().is_some() { Err("must not have a fragment (#…)") } else { Ok(url) }
}

/// Parses a URL that is shown to the user and may be opened in a browser.
pub(crate) fn verification(text: &str, loopback: Loopback) -> Result<Url, &'static str> {
    secure(text, loopback)
}

fn secure(text: &str, loopback: Loopback) -> Result<Url, &'static str> {
    // The URL standard silently drops or repairs these. The user would see a different text than the browser opens.
    if text.chars().any(|c| c <= ' ' || c == '\\' || crate::sanitize::is_deceptive(c)) {
        return Err("must not hold spaces, backslashes, control characters or invisible characters");
    }
    let url = Url::parse(text).map_err(|_| "is not an absolute URL")?;
    let (_, rest) = text.split_once("://").ok_or("is not an absolute URL")?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // A URL parser skips extra slashes and finds a user name behind them.
    if authority.is_empty()
        || authority.contains('@')
        || !url.username().is_empty()
        || url.password().is_some()
    {
        return Err("must name a host, without a user name or password");
    }
    if url.domain().is_some_and(|name| !is_host_name(name)) {
        return Err("must name a valid host");
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) && loopback == Loopback::Allowed => Ok(url),
        "http" if is_loopback(&url) => {
            Err("must use https (plain http to this machine has to be allowed by name)")
        }
        _ => Err("must use https"),
    }
}

/// Returns whether a name can be in DNS or in a certificate (RFC 1123 section 2.1): labels of 1 to 63 letters, digits,
/// hyphens and, in practice, underscores.
fn is_host_name(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    // proves: R8628-3.1-04, CLI-06, URL-P-01, R6749-3.2-02, P5-21
    #[test]
    fn only_https_and_permitted_loopback_urls_are_accepted() {
        for good in [
            "https://h/token?tenant=x",
            "https://h:8443/",
            "HTTPS://h/",
            "https://h/$(x)",
            "https://[::2]/",
            "https://my_org.test./",
            "https://bücher.test/",
        ] {
            assert!(endpoint(good, Loopback::Refused).is_ok(), "{good}");
        }
        for loopback in [
            "http://127.0.0.1:1/",
            "http://localhost/",
            "http://LOCALHOST.:8080/",
            "http://app.localhost/",
            "http://[::1]/",
            "http://127.9.9.9/",
        ] {
            assert!(endpoint(loopback, Loopback::Refused).is_err(), "{loopback}");
            assert!(endpoint(loopback, Loopback::Allowed).is_ok(), "{loopback}");
        }
        for bad in [
            "http://example.com/",
            "http://localhost.example.com/",
            "http://notlocalhost/",
            "http://128.0.0.1/",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "ms-msdt:x",
            "https://u:p@h/",
            "https://@h/",
            "https:///u:p@h/",
            "https:////u@h",
            "https:///h/",
            "https://u@h/",
            "https://h/a b",
            "https://h/\u{1b}[2J",
            "https://h/\u{202e}x",
            "https:\\\\h\\",
            "https:h",
            "https://a..test/",
            "https://.test/",
            "https://a$b.test/",
            "https://-a.test/",
            "//h/",
            "h",
            "",
            "--help",
        ] {
            assert!(verification(bad, Loopback::Allowed).is_err(), "{bad:?}");
        }
        assert_eq!(endpoint("http://h/", Loopback::Refused).unwrap_err(), "must use https");
        assert!(endpoint("http://127.0.0.1/", Loopback::Refused).unwrap_err().contains("allowed by name"));
        assert!(endpoint("https://h/#f", Loopback::Refused).is_err());
        assert!(verification("https://h/#f", Loopback::Refused).is_ok());
        assert_eq!(
            endpoint("https://h/token?tenant=x", Loopback::Refused).unwrap().query(),
            Some("tenant=x")
        );
    }
}
