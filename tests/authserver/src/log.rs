//! What happened, in the order it happened: connections and requests. A full log drops its oldest entries.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::clock;
use crate::http::Request;
use crate::http::stream::Wire;
use crate::oauth::check::Checked;

/// An instant that is written as seconds on the process's clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct At(pub(crate) Instant);

impl Serialize for At {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_f64(clock::seconds(self.0))
    }
}

/// Which of a server's two addresses was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Origin {
    Main,
    Other,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Handshake {
    #[default]
    None,
    Pending,
    Full,
    Resumed,
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ClosedBy {
    Client,
    ClientReset,
    Server,
    ServerReset,
}

/// One connection.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionEntry {
    pub(crate) origin: Origin,
    pub(crate) opened: At,
    pub(crate) closed: Option<(At, ClosedBy)>,
    pub(crate) handshake: Handshake,
    pub(crate) handshake_at: Option<At>,
    pub(crate) handshake_error: Option<String>,
    pub(crate) tls_version: Option<String>,
    pub(crate) server_name: Option<String>,
    pub(crate) alpn: Vec<String>,
    pub(crate) requests: u32,
    pub(crate) wire: Arc<Wire>,
}

impl ConnectionEntry {
    pub(crate) fn new(origin: Origin, wire: Arc<Wire>) -> ConnectionEntry {
        ConnectionEntry {
            origin,
            opened: At(Instant::now()),
            closed: None,
            handshake: Handshake::None,
            handshake_at: None,
            handshake_error: None,
            tls_version: None,
            server_name: None,
            alpn: Vec::new(),
            requests: 0,
            wire,
        }
    }

    fn is_open(&self) -> bool {
        self.closed.is_none()
    }

    fn json(&self, number: usize) -> Value {
        json!({
            "connection": number,
            "origin": self.origin,
            "opened": self.opened,
            "closed": self.closed.map(|(at, _)| at),
            "closed_by": self.closed.map(|(_, by)| by),
            "handshake": self.handshake,
            "handshake_at": self.handshake_at,
            "handshake_error": self.handshake_error,
            "tls_version": self.tls_version,
            "server_name": self.server_name,
            "alpn": self.alpn,
            "bytes_in": self.wire.bytes_in.load(Ordering::Relaxed),
            "bytes_out": self.wire.bytes_out.load(Ordering::Relaxed),
            "requests": self.requests,
        })
    }
}

/// One request.
#[derive(Debug, Clone, Serialize)]
struct RequestEntry {
    request: usize,
    origin: Origin,
    connection: usize,
    on_connection: u32,
    tls: Option<Handshake>,
    arrived: At,
    replied: Option<At>,
    gone: Option<At>,
    method: String,
    path: String,
    query: Option<String>,
    headers: Vec<(String, String)>,
    body: Option<String>,
    body_base64: Option<String>,
    form: Option<Vec<(String, String)>>,
    endpoint: &'static str,
    call: usize,
    step: Option<usize>,
    status: Option<u16>,
    error: Option<String>,
    violations: Vec<String>,
    /// What it takes of the log's bytes.
    #[serde(skip)]
    weight: usize,
}

impl RequestEntry {
    fn weight(&self) -> usize {
        const TEXT: usize = size_of::<String>();
        let pairs = self.headers.iter().chain(self.form.iter().flatten());
        let pairs: usize = pairs.map(|(name, value)| name.len() + value.len() + 2 * TEXT).sum();
        let texts = [&self.query, &self.body, &self.body_base64, &self.error];
        let texts: usize = texts.into_iter().flatten().map(String::len).sum();
        let violations: usize = self.violations.iter().map(|rule| rule.len() + TEXT).sum();
        size_of::<RequestEntry>() + self.method.len() + self.path.len() + pairs + texts + violations
    }
}

/// A place in the log, by its number; none if nothing is recorded. It belongs to one generation: forgetting makes it
/// point nowhere, and so does dropping what was there.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place(Option<(u32, usize)>);

/// How an exchange ended.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    Replied,
    /// A fault ate the answer, or what was left of it.
    Cut,
    Gone,
}

/// The log of one server.
#[derive(Debug)]
pub(crate) struct Log {
    enabled: bool,
    entries: Mutex<Entries>,
    arrival: Notify,
}

const MOST_REQUESTS: usize = 10_000;
/// More than can be open: there is always one to drop that is closed.
const MOST_CONNECTIONS: usize = 20_000;
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// What is recorded, by numbers that begin with 1.
#[derive(Debug, Default)]
struct Entries {
    generation: u32,
    connections: BTreeMap<usize, ConnectionEntry>,
    /// How many connections have come; some were dropped.
    connected: usize,
    requests: BTreeMap<usize, RequestEntry>,
    /// How many requests have come; some were dropped.
    requested: usize,
    /// The weights of `requests` together.
    bytes: usize,
    /// How many requests each endpoint has had.
    calls: HashMap<&'static str, usize>,
}

impl Entries {
    fn connection(&mut self, place: Place) -> Option<&mut ConnectionEntry> {
        let (generation, number) = place.0?;
        if generation == self.generation { self.connections.get_mut(&number) } else { None }
    }

    fn request(&mut self, place: Place) -> Option<&mut RequestEntry> {
        let (generation, number) = place.0?;
        if generation == self.generation { self.requests.get_mut(&number) } else { None }
    }

    /// Changes a request, which may make it heavier.
    fn change(&mut self, place: Place, change: impl FnOnce(&mut RequestEntry)) {
        let Some(entry) = self.request(place) else {
            return;
        };
        let before = entry.weight;
        change(entry);
        entry.weight = entry.weight();
        let after = entry.weight;
        self.bytes = self.bytes - before + after;
        self.drop_requests();
    }

    /// Drops the oldest requests of a log that is too long. The newest always stays.
    fn drop_requests(&mut self) {
        while self.requests.len() > MOST_REQUESTS || (self.bytes > MOST_BYTES && self.requests.len() > 1) {
            if let Some((_, dropped)) = self.requests.pop_first() {
                self.bytes -= dropped.weight;
            }
        }
    }

    /// Drops the oldest connections of a log that is too long, an eighth at a time. Those that are open stay, because
    /// further requests may come on them.
    fn drop_connections(&mut self) {
        if self.connections.len() > MOST_CONNECTIONS {
            let mut surplus = MOST_CONNECTIONS / 8;
            self.connections.retain(|_, entry| {
                let stays = entry.is_open() || surplus == 0;
                surplus -= usize::from(!stays);
                stays
            });
        }
    }
}

impl Log {
    pub(crate) fn new(enabled: bool) -> Log {
        Log { enabled, entries: Mutex::default(), arrival: Notify::new() }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a connection.
    pub(crate) fn opened(&self, origin: Origin, wire: &Arc<Wire>) -> Place {
        if !self.enabled {
            return Place(None);
        }
        let mut entries = self.entries();
        entries.connected += 1;
        let number = entries.connected;
        entries.connections.insert(number, ConnectionEntry::new(origin, Arc::clone(wire)));
        entries.drop_connections();
        Place(Some((entries.generation, number)))
    }

    /// Changes what is known about a connection.
    pub(crate) fn connection(&self, place: Place, change: impl FnOnce(&mut ConnectionEntry)) {
        if self.enabled
            && let Some(entry) = self.entries().connection(place)
        {
            change(entry);
        }
    }

    /// Records a request that has been read.
    pub(crate) fn arrived(
        &self,
        connection: Place,
        request: &Request,
        endpoint: &'static str,
        checked: &Checked,
    ) -> Place {
        if !self.enabled {
            return Place(None);
        }
        let mut entries = self.entries();
        let Some(on) = entries.connection(connection) else {
            return Place(None);
        };
        on.requests += 1;
        let (origin, on_connection, handshake) = (on.origin, on.requests, on.handshake);
        let call = entries.calls.entry(endpoint).or_default();
        *call += 1;
        let call = *call;
        entries.requested += 1;
        let number = entries.requested;
        let text = String::from_utf8(request.body.clone());
        let mut entry = RequestEntry {
            request: number,
            origin,
            connection: connection.0.map_or(0, |(_, number)| number),
            on_connection,
            tls: Some(handshake).filter(|handshake| *handshake != Handshake::None),
            arrived: At(request.arrived),
            replied: None,
            gone: None,
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            headers: request.headers.clone(),
            body_base64: text.is_err().then(|| STANDARD.encode(&request.body)),
            body: text.ok(),
            form: checked.is_form.then(|| checked.parameters.clone()),
            endpoint,
            call,
            step: None,
            status: None,
            error: None,
            violations: checked.violations.clone(),
            weight: 0,
        };
        entry.weight = entry.weight();
        entries.bytes += entry.weight;
        entries.requests.insert(number, entry);
        entries.drop_requests();
        let place = Place(Some((entries.generation, number)));
        drop(entries);
        self.arrival.notify_waiters();
        place
    }

    /// Adds to the violations of a request.
    pub(crate) fn violations(&self, place: Place, more: impl IntoIterator<Item = String>) {
        if self.enabled {
            self.entries().change(place, |entry| {
                for rule in more {
                    if !entry.violations.contains(&rule) {
                        entry.violations.push(rule);
                    }
                }
            });
        }
    }

    /// Records what is being answered.
    pub(crate) fn answering(&self, place: Place, step: Option<usize>, error: Option<String>) {
        if self.enabled {
            self.entries().change(place, |entry| {
                entry.step = step;
                entry.error = error;
            });
        }
    }

    /// Records how it ended; `status` only if it was sent. `last_write` is when the last write began.
    pub(crate) fn ended(&self, place: Place, end: End, status: Option<u16>, last_write: Instant) {
        if self.enabled
            && let Some(entry) = self.entries().request(place)
        {
            entry.status = status;
            match end {
                End::Replied => entry.replied = Some(At(last_write)),
                End::Gone => entry.gone = Some(At(Instant::now())),
                End::Cut => {}
            }
        }
    }

    /// Forgets everything; what is still going on is forgotten too.
    pub(crate) fn forget(&self) {
        let mut entries = self.entries();
        let generation = entries.generation.wrapping_add(1);
        *entries = Entries { generation, ..Entries::default() };
    }

    /// Waits until an endpoint has had so many requests.
    pub(crate) async fn wait_for(&self, endpoint: Option<&str>, count: usize, timeout: Duration) {
        let enough = || {
            let entries = self.entries();
            let calls = match endpoint {
                Some(endpoint) => entries.calls.get(endpoint).copied().unwrap_or_default(),
                None => entries.requested,
            };
            calls >= count
        };
        let waiting = async {
            loop {
                let arrival = self.arrival.notified();
                tokio::pin!(arrival);
                // Registered before looking, so that nothing slips through between.
                arrival.as_mut().enable();
                if enough() {
                    return;
                }
                arrival.await;
            }
        };
        let _ = tokio::time::timeout(timeout, waiting).await;
    }

    pub(crate) fn json(&self, id: &str) -> Value {
        let entries = self.entries();
        let connections = entries.connections.iter();
        json!({
            "id": id,
            "now": At(Instant::now()),
            "connections": connections.map(|(number, entry)| entry.json(*number)).collect::<Vec<_>>(),
            "requests": entries.requests.values().collect::<Vec<_>>(),
            "dropped": {
                "connections": entries.connected - entries.connections.len(),
                "requests": entries.requested - entries.requests.len(),
            },
        })
    }
}

#[cfg(test)]
#[path = "log_tests.rs"]
mod tests;
