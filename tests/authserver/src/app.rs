//! All servers of one process.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::host::{self, Gate, Port};
use crate::log::Origin;
use crate::oauth::jwt::Keys;
use crate::server::{Origins, Server};
use crate::settings::{Alg, Host, Settings, TlsMode};
use crate::tls::{Identity, Pki};

/// What all servers share.
pub(crate) struct App {
    pub(crate) pki: Pki,
    keys: Arc<Keys>,
    alg: Alg,
    /// Where the CA certificate was written.
    ca_file: Option<String>,
    servers: Mutex<BTreeMap<String, Arc<Hosted>>>,
    created: AtomicU32,
    /// How many servers there can be at a time.
    most: usize,
}

/// A server and its ports.
pub(crate) struct Hosted {
    pub(crate) id: String,
    pub(crate) server: Arc<Server>,
    tls: TlsMode,
    /// The CA to trust.
    ca_pem: String,
    url: String,
    other_url: String,
    gate: watch::Sender<Gate>,
    listening: Vec<watch::Receiver<bool>>,
}

const MOST_SERVERS: usize = 1000;

/// The server of the command line's listeners.
pub(crate) const MAIN: &str = "main";

impl App {
    pub(crate) fn new(pki: Pki, keys: Keys, alg: Alg, ca_file: Option<String>) -> App {
        App {
            pki,
            keys: Arc::new(keys),
            alg,
            ca_file,
            servers: Mutex::default(),
            created: AtomicU32::new(0),
            most: MOST_SERVERS,
        }
    }

    fn servers(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Hosted>>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn ids(&self) -> Vec<String> {
        self.servers().keys().cloned().collect()
    }

    pub(crate) fn get(&self, id: &str) -> Option<Arc<Hosted>> {
        self.servers().get(id).cloned()
    }

    /// Opens the command line's listeners; gives their URLs.
    pub(crate) fn host_main(
        self: &Arc<App>,
        settings: Settings,
        listeners: Vec<(TcpListener, &'static str)>,
        control: bool,
    ) -> Result<Vec<String>, String> {
        let urls: Result<Vec<String>, String> =
            listeners.iter().map(|(listener, host)| url(settings.tls, host, listener)).collect();
        let urls = urls?;
        let listeners = listeners.into_iter().map(|(listener, _)| (listener, Origin::Main)).collect();
        self.host(MAIN.to_owned(), settings, listeners, urls.clone(), control)?;
        Ok(urls)
    }

    /// Why there can be no further server, if there cannot.
    pub(crate) fn is_full(&self) -> Option<String> {
        let have = self.servers().len();
        (have >= self.most).then(|| format!("there are {have} servers: delete some"))
    }

    /// Makes a server of its own.
    pub(crate) fn create(self: &Arc<App>, settings: Settings) -> Result<Arc<Hosted>, String> {
        settings.check()?;
        let (name, address): (_, SocketAddr) = match settings.host {
            Host::V4 => ("127.0.0.1", (Ipv4Addr::LOCALHOST, 0).into()),
            Host::Name => ("localhost", (Ipv4Addr::LOCALHOST, 0).into()),
            Host::V6 => ("[::1]", (Ipv6Addr::LOCALHOST, 0).into()),
        };
        let mut listeners = Vec::new();
        let mut urls = Vec::new();
        for origin in [Origin::Main, Origin::Other] {
            let listener = host::listen(address).map_err(|error| format!("cannot listen: {error}"))?;
            urls.push(url(settings.tls, name, &listener)?);
            listeners.push((listener, origin));
        }
        let id = format!("s{}", self.created.fetch_add(1, Ordering::Relaxed) + 1);
        self.host(id, settings, listeners, urls, false)
    }

    fn host(
        self: &Arc<App>,
        id: String,
        settings: Settings,
        listeners: Vec<(TcpListener, Origin)>,
        urls: Vec<String>,
        control: bool,
    ) -> Result<Arc<Hosted>, String> {
        let tls = settings.tls;
        let Identity { config, ca_pem } =
            self.pki.identity(tls).map_err(|error| format!("no certificate: {error}"))?;
        let server = Arc::new(Server::new(settings, self.alg, Arc::clone(&self.keys)));
        let (gate, _) = watch::channel(Gate::Open);
        let mut listening = Vec::new();
        for (index, ((listener, origin), url)) in listeners.into_iter().zip(&urls).enumerate() {
            let other = urls.iter().find(|other| *other != url).unwrap_or(url);
            let port = Arc::new(Port {
                app: Arc::clone(self),
                server: Arc::clone(&server),
                origin,
                origins: Origins { this: url.clone(), other: other.clone() },
                tls,
                config: config.clone(),
                control: control && index == 0,
                gate: gate.clone(),
            });
            let (sender, receiver) = watch::channel(true);
            listening.push(receiver);
            tokio::spawn(port.run(listener, sender));
        }
        let mut urls = urls.into_iter();
        let url = urls.next().unwrap_or_default();
        let other_url = urls.next().unwrap_or_else(|| url.clone());
        let hosted =
            Arc::new(Hosted { id: id.clone(), server, tls, ca_pem, url, other_url, gate, listening });
        self.servers().insert(id, Arc::clone(&hosted));
        Ok(hosted)
    }

    /// Closes a server's ports and resets its connections.
    pub(crate) async fn delete(&self, id: &str) -> bool {
        let Some(hosted) = self.servers().remove(id) else {
            return false;
        };
        hosted.set_gate(Gate::Shut).await;
        true
    }

    /// What a test needs to know of a server.
    pub(crate) fn describe(&self, hosted: &Hosted) -> Value {
        let port = hosted.url.rsplit(':').next().and_then(|port| port.parse::<u16>().ok());
        let has_tls = hosted.tls != TlsMode::None;
        json!({
            "id": hosted.id,
            "url": hosted.url,
            "issuer": format!("{}{}", hosted.url, hosted.server.settings.issuer_path),
            "port": port,
            "other_url": hosted.other_url,
            "ca_pem": has_tls.then_some(&hosted.ca_pem),
            "ca_file": self.ca_file.as_ref().filter(|_| has_tls),
        })
    }
}

impl Hosted {
    /// Opens or closes the ports, and waits until it is so.
    pub(crate) async fn set_gate(&self, to: Gate) {
        host::change(&self.gate, to);
        for listening in &self.listening {
            let mut listening = listening.clone();
            // An error means that the port's task has ended, which is what shutting it wants.
            let settled =
                listening.wait_for(|listening| to != Gate::Shut && *listening == (to == Gate::Open));
            let _ = tokio::time::timeout(Duration::from_secs(5), settled).await;
        }
    }
}

fn url(tls: TlsMode, host: &str, listener: &TcpListener) -> Result<String, String> {
    let address = listener.local_addr().map_err(|error| format!("cannot listen: {error}"))?;
    let scheme = if tls == TlsMode::None { "http" } else { "https" };
    Ok(format!("{scheme}://{host}:{}", address.port()))
}

#[cfg(test)]
#[path = "app_tests.rs"]
mod tests;
