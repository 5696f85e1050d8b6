//! The transport on reqwest: HTTP/1.1, no redirects, no compression, no cookies. Every wait and every body is bounded.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, SystemTime},
};

use reqwest::{
    Client, Method, Response,
    header::{
        ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName,
        HeaderValue,
    },
    redirect::Policy,
};
use rustls::ClientConfig;
use url::{Host, Url};
use zeroize::Zeroizing;

use super::{
    failure::{failure, root_cause},
    proxy::{ProxyServer, Route},
    resolver::{Ipv4First, SystemResolver},
    settings::Settings,
    trust,
};
use crate::{
    Error,
    clock::Clock,
    flow::{Failure, Transport},
    protocol::{
        reply::{self, Reply, Sent},
        request::Request,
        uri::is_loopback,
    },
};

/// The maximum size of a response body. Nothing beyond it is read.
const MAX_BODY_BYTES: usize = 1024 * 1024;

/// How long idle connections are kept. Longer than any usual poll interval.
const KEEP_IDLE: Duration = Duration::from_secs(90);

/// The maximum number of idle connections per host. Equals the engine's maximum number of concurrent requests.
const MAX_IDLE: usize = 48;

/// Headers in which servers and the gateways in front of them name a request. The first one that is present counts.
const REQUEST_IDS: [&str; 10] = [
    "x-request-id",
    "request-id",
    "x-correlation-id",
    "x-ms-request-id",
    "x-okta-request-id",
    "x-auth0-requestid",
    "x-github-request-id",
    "x-amzn-requestid",
    "x-amz-cf-id",
    "cf-ray",
];

/// Two clocks that differ by less were read at different moments, or were corrected slowly.
const MOST_DRIFT: Duration = Duration::from_secs(2);

/// Headers that the protocol sets. A caller must not override them.
const OURS: [&str; 10] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "te",
    "transfer-encoding",
    "user-agent",
];

/// Checks that a header may be added to the requests. The error says why not.
pub(crate) fn check_header(name: &str, value: &str) -> Result<(), String> {
    let parsed = HeaderName::from_bytes(name.as_bytes())
        .map_err(|_| format!("\"{}\" is no header name", crate::sanitize(name)))?;
    if OURS.contains(&parsed.as_str()) {
        return Err(format!("the header {parsed} is set by the protocol"));
    }
    HeaderValue::from_str(value)
        .map(drop)
        .map_err(|_| format!("the value of the header {parsed} holds characters that no header may have"))
}

#[derive(Debug)]
pub(crate) struct HttpTransport {
    settings: Settings,
    clock: Arc<dyn Clock>,
    headers: HeaderMap,
    clients: Mutex<Clients>,
    /// One for all clients, those that were closed as well: it counts the look-ups.
    resolver: Arc<SystemResolver>,
    /// The TLS settings for https. The trust store is read once, and sessions are resumed on later connections.
    tls: OnceLock<ClientConfig>,
    route: Route,
    trust: trust::Variables,
}

/// Three HTTP clients, each created on first use. Each owns the connections that it keeps.
#[derive(Debug, Default)]
struct Clients {
    /// Plain http to this machine. No trust store is read.
    plain: Option<Client>,
    /// https without a proxy, as always to this machine.
    direct: Option<Client>,
    /// https through the proxy.
    proxied: Option<Client>,
}

impl HttpTransport {
    pub(crate) fn new(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let route = Route::new(settings.proxy.clone());
        let bad = |name: &str| Error::config(format!("the header {} cannot be sent", crate::sanitize(name)));
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        for (name, text) in &settings.headers {
            let mut value = HeaderValue::from_str(text.expose()).map_err(|_| bad(name))?;
            value.set_sensitive(true);
            headers.append(HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad(name))?, value);
        }
        Ok(Self {
            settings,
            clock,
            headers,
            clients: Mutex::default(),
            resolver: Arc::default(),
            tls: OnceLock::new(),
            route,
            // Read here, on the caller's thread: other threads may change the environment later.
            trust: trust::Variables::from_environment(),
        })
    }

    /// Returns the client for a request, and the proxy that it uses.
    fn client(&self, url: &Url) -> Result<(Client, Option<ProxyServer>), Error> {
        let is_remote = url.scheme() == "https" && !is_this_machine(url);
        let proxy = if is_remote { self.route.proxy_for(url)? } else { None };
        if let (Some(proxy), Some(Host::Ipv6(_))) = (proxy, url.host()) {
            return Err(proxy.cannot_reach(url));
        }
        let slot: fn(&mut Clients) -> &mut Option<Client> = match url.scheme() {
            "https" if proxy.is_some() => |clients| &mut clients.proxied,
            "https" => |clients| &mut clients.direct,
            _ => |clients| &mut clients.plain,
        };
        let kept = slot(&mut self.clients()).clone();
        let client = match kept {
            Some(client) => client,
            None => {
                // Built outside the lock: it may read the trust store. Two first requests may both build one.
                let built = self.build(url.scheme() == "https", proxy)?;
                slot(&mut self.clients()).get_or_insert(built).clone()
            }
        };
        Ok((client, proxy.cloned()))
    }

    /// Returns the clients. Only the process that made them gets here, so the lock is never lost in a fork.
    fn clients(&self) -> MutexGuard<'_, Clients> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tls(&self) -> Result<ClientConfig, Error> {
        if let Some(tls) = self.tls.get() {
            return Ok(tls.clone());
        }
        let tls = trust::client_config(&self.settings.ca_pem, &self.trust)?;
        Ok(self.tls.get_or_init(|| tls).clone())
    }

    fn build(&self, trusted: bool, proxy: Option<&ProxyServer>) -> Result<Client, Error> {
        let tls = if trusted { self.tls()? } else { trust::no_trust()? };
        let mut builder = Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .redirect(Policy::none())
            .referer(false)
            .dns_resolver(Arc::clone(&self.resolver))
            .default_headers(self.headers.clone())
            .user_agent(&self.settings.user_agent)
            .pool_idle_timeout(KEEP_IDLE)
            .pool_max_idle_per_host(MAX_IDLE)
            .tcp_nodelay(true)
            .connect_timeout(self.settings.timeouts.connect)
            .read_timeout(self.settings.timeouts.read)
            .timeout(self.settings.timeouts.total);
        // Without it, reqwest would look into the environment.
        builder = builder.no_proxy();
        if let Some(proxy) = proxy {
            builder = builder.proxy(proxy.for_client()?);
            if proxy.wants_addresses() {
                builder = builder.dns_resolver(Arc::new(Ipv4First(Arc::clone(&self.resolver))));
            }
        }
        builder.build().map_err(|error| {
            Error::internal(format!("the HTTP client cannot be set up: {}", root_cause(&error)))
        })
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: Request) -> Pin<Box<dyn Future<Output = Result<Reply, Failure>> + Send>> {
        let (client, clock) = (self.client(&request.url), Arc::clone(&self.clock));
        Box::pin(async move {
            let (client, proxy) = client.map_err(Failure::Permanent)?;
            let url = request.url.clone();
            let sent = send(client, request, clock.as_ref()).await;
            sent.map_err(|error| failure(&error, &url, proxy.as_ref()))
        })
    }

    fn close_idle(&self) {
        *self.clients() = Clients::default();
    }
}

async fn send(client: Client, request: Request, clock: &dyn Clock) -> Result<Reply, reqwest::Error> {
    let method = if request.form.is_some() { Method::POST } else { Method::GET };
    let mut builder = client.request(method, request.url);
    if let Some(mut value) = request.authorization.and_then(|text| HeaderValue::from_str(&text).ok()) {
        value.set_sensitive(true);
        builder = builder.header(AUTHORIZATION, value);
    }
    if let Some(form) = request.form {
        if form.is_empty() {
            // Otherwise the header is omitted, and some servers respond with 411 (RFC 9110 section 8.6).
            builder = builder.header(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        builder = builder
            .header(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"))
            .body(form.as_str().to_owned());
    }
    let sent = Sent { elapsed: clock.now().elapsed, time_of_day: clock.time_of_day() };
    read(builder.send().await?, sent, clock).await
}

async fn read(mut response: Response, sent: Sent, clock: &dyn Clock) -> Result<Reply, reqwest::Error> {
    let header =
        |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let date = header("date").and_then(|date| httpdate::parse_http_date(&date).ok());
    let mut reply = Reply {
        sent,
        date: date.filter(|_| !was_set_since(sent, clock)),
        status: response.status().as_u16(),
        content_type: header("content-type"),
        encoded: header("content-encoding").is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")),
        retry_after: header("retry-after")
            .and_then(|value| reply::retry_after(&value, date, clock.time_of_day())),
        request_id: REQUEST_IDS.iter().find_map(|name| header(name).filter(|id| !id.is_empty())),
        body: None,
    };
    if reply.encoded
        || response
            .content_length()
            .is_some_and(|length| usize::try_from(length).map_or(true, |length| length > MAX_BODY_BYTES))
    {
        return Ok(reply);
    }
    let mut body = Zeroizing::new(Vec::new());
    while let Some(chunk) = response.chunk().await? {
        if body.len().saturating_add(chunk.len()) > MAX_BODY_BYTES {
            return Ok(reply);
        }
        body.extend_from_slice(&chunk);
    }
    reply.body = Some(body);
    Ok(reply)
}

/// Returns whether a URL's host is this machine in any spelling, so that no proxy is used.
fn is_this_machine(url: &Url) -> bool {
    is_loopback(url)
        || match url.host() {
            Some(Host::Ipv6(ip)) => ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback()),
            _ => false,
        }
}

/// Whether the time of day was changed since a request left: the two clocks moved by different amounts.
fn was_set_since(sent: Sent, clock: &dyn Clock) -> bool {
    let passed = clock.now().elapsed.saturating_sub(sent.elapsed);
    let expected = sent.time_of_day.checked_add(passed);
    let apart = |expected: SystemTime| match clock.time_of_day().duration_since(expected) {
        Ok(ahead) => ahead,
        Err(behind) => behind.duration(),
    };
    expected.is_none_or(|expected| apart(expected) > MOST_DRIFT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::flow::Now;

    /// Seconds on the clock that includes suspend, and seconds since 1970.
    #[derive(Debug)]
    struct Clocks(u64, u64);

    impl Clock for Clocks {
        fn now(&self) -> Now {
            Now { elapsed: Duration::from_secs(self.0), awake: Duration::from_secs(self.0) }
        }

        fn time_of_day(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH + Duration::from_secs(self.1)
        }
    }

    #[test]
    fn this_machine_has_many_names() {
        for url in
            ["https://localhost", "https://a.localhost./x", "https://127.1", "https://[::ffff:127.0.0.1]"]
        {
            assert!(is_this_machine(&Url::parse(url).unwrap()), "{url}");
        }
        for url in ["https://localhost.example", "https://notlocalhost", "https://10.0.0.1", "https://[::2]"]
        {
            assert!(!is_this_machine(&Url::parse(url).unwrap()), "{url}");
        }
    }

    #[test]
    fn a_system_clock_change_during_a_request_is_detected() {
        let before = Clocks(100, 1_000);
        let sent = Sent { elapsed: before.now().elapsed, time_of_day: before.time_of_day() };
        for (after, was_set) in [
            (Clocks(130, 1_030), false),
            (Clocks(130, 1_031), false),
            (Clocks(130, 1_033), true),
            (Clocks(130, 1_000), true),
        ] {
            assert_eq!(was_set_since(sent, &after), was_set, "{after:?}");
        }
    }
}
