//! A scriptable OAuth 2.0 authorization server for testing command-line logins. The README says what it does; this is
//! the way to run it inside another program:
//!
//! ```
//! let options = authserver::Options { control: true, ..Default::default() };
//! let server = authserver::start(options).expect("a free port on the loopback interface");
//! assert!(server.urls()[0].starts_with("http://127.0.0.1:"));
//! server.stop();
//! ```

mod app;
mod ask;
pub mod cli;
mod clock;
mod control;
mod fixed;
mod handshake;
mod host;
mod http;
mod kept;
mod listen;
mod log;
mod oauth;
mod object;
mod page;
mod random;
mod script;
mod server;
mod settings;
mod tls;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

pub use listen::ListenAddress;
pub use settings::{Alg, Answer, Settings};

/// What to run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where to listen; any free port of 127.0.0.1 if empty.
    pub listen: Vec<ListenAddress>,
    /// Whether to speak TLS, with a certificate of a new CA.
    pub tls: bool,
    /// Whether the first listener answers `/control/...`.
    pub control: bool,
    /// Where to write the CA certificate.
    pub ca_out: Option<PathBuf>,
    /// How the listeners behave.
    pub settings: Settings,
}

/// Why the server did not start.
#[derive(Debug)]
pub struct StartError(String);

impl std::fmt::Display for StartError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub struct Running {
    urls: Vec<String>,
    ca_pem: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// One URL for each listener, in their order.
    pub fn urls(&self) -> &[String] {
        &self.urls
    }

    /// The certificate to trust, PEM.
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Stops at once: connections end, ports are free.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}

/// Runs a server on threads of its own; returns when all listeners accept connections.
pub fn start(options: Options) -> Result<Running, StartError> {
    clock::begin();
    let failed = |what: &str, error: &dyn std::fmt::Display| StartError(format!("{what}: {error}"));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("authserver")
        .enable_all()
        .build()
        .map_err(|error| failed("cannot start threads", &error))?;
    let (ready, started) = mpsc::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let thread = std::thread::Builder::new().name("authserver".to_owned()).spawn(move || {
        let outcome = runtime.block_on(async { open(options) });
        let is_open = outcome.is_ok();
        if ready.send(outcome).is_ok() && is_open {
            // Either way it is time to stop: told to, or the handle is gone.
            let _ = runtime.block_on(stopped);
        }
        runtime.shutdown_background();
    });
    let thread = thread.map_err(|error| failed("cannot start a thread", &error))?;
    let outcome = started.recv().map_err(|error| failed("the server ended", &error))?;
    let (urls, ca_pem) = outcome.map_err(StartError)?;
    Ok(Running { urls, ca_pem, stop: Some(stop), thread: Some(thread) })
}

/// Opens the listeners; gives their URLs and the CA certificate.
fn open(options: Options) -> Result<(Vec<String>, String), String> {
    let pki = tls::Pki::new().map_err(|error| format!("cannot make certificates: {error}"))?;
    let keys = oauth::jwt::Keys::new().map_err(|_| "cannot make keys".to_owned())?;
    if let Some(file) = &options.ca_out {
        std::fs::write(file, &pki.ca_pem).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    let mut settings = options.settings;
    settings.tls = if options.tls { settings::TlsMode::Good } else { settings::TlsMode::None };
    settings.check()?;
    let mut addresses = options.listen;
    if addresses.is_empty() {
        addresses.push(ListenAddress::default());
    }
    let mut listeners = Vec::new();
    for address in addresses {
        let listener = host::listen(address.socket()).map_err(|error| format!("{address}: {error}"))?;
        listeners.push((listener, address.host()));
    }
    let ca_file = options.ca_out.map(|file| file.display().to_string());
    let ca_pem = pki.ca_pem.clone();
    let alg = settings.alg.unwrap_or(Alg::Rs256);
    let app = Arc::new(app::App::new(pki, keys, alg, ca_file));
    let urls = app.host_main(settings, listeners, options.control)?;
    Ok((urls, ca_pem))
}
