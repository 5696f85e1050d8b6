//! The authorization server for the measurements, and its control interface.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

use super::program::{Watchdog, cpu_ms};

/// Longer than the longest wait that is requested from the control interface.
const PATIENCE: Duration = Duration::from_secs(30);
/// Maximum size of a response of the control interface. Logs have at most some thousand requests.
const LONGEST_ANSWER: u64 = 256 * 1024 * 1024;

/// The running server process; dropping this value ends it.
#[derive(Debug)]
pub(super) struct Server {
    process: Child,
    /// `HOST:PORT` of the control interface.
    control: String,
    /// The certificate that its clients must trust.
    pub(super) ca_file: PathBuf,
}

impl Server {
    pub(super) fn start(program: &Path, ca_file: PathBuf) -> anyhow::Result<Self> {
        let mut process = Command::new(program)
            // Signing with P-256 is cheap, which matters because the server shares the machine with the measured
            // programs.
            .args(["--control", "--listen", "127.0.0.1:0", "--alg", "es256", "--exit-on-eof", "--ca-out"])
            .arg(&ca_file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the authorization server")?;
        let stdout = process.stdout.take().context("its output is piped")?;
        // From here on, dropping the value ends the process.
        let mut server = Self { process, control: String::new(), ca_file };
        let mut line = String::new();
        let _watchdog = Watchdog::over(&server.process, PATIENCE)?;
        BufReader::new(stdout).read_line(&mut line)?;
        match line.trim().strip_prefix("READY http://") {
            Some(address) => server.control = address.to_owned(),
            None => bail!("unexpected output of the authorization server: {line:?}"),
        }
        Ok(server)
    }

    /// Creates a virtual server over https for one measure.
    pub(super) fn open(&self, mut settings: Value) -> anyhow::Result<Virtual<'_>> {
        if let Some(settings) = settings.as_object_mut() {
            settings.insert("tls".to_owned(), "good".into());
        }
        let made = self.call("POST", "/control/servers", Some(&settings))?;
        let text = |name: &str| made.get(name).and_then(Value::as_str).map(str::to_owned);
        let (id, url) = (text("id"), text("issuer"));
        Ok(Virtual {
            server: self,
            id: id.context("the virtual server has no id")?,
            url: url.context("the virtual server has no URL")?,
        })
    }

    /// Returns the processor time of the server process so far.
    pub(super) fn cpu_ms(&self) -> Option<f64> {
        cpu_ms(&self.process)
    }

    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut stream = TcpStream::connect(&self.control)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.control,
            body.len(),
        )?;
        let mut answer = String::new();
        stream.take(LONGEST_ANSWER).read_to_string(&mut answer)?;
        let (head, body) =
            answer.split_once("\r\n\r\n").context("the response of the control interface is incomplete")?;
        if !head.starts_with("HTTP/1.1 2") {
            bail!("the control interface rejected {method} {path}: {body}");
        }
        if body.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(body)?) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The server stores nothing, so it can be killed.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A virtual server; dropping this value deletes it.
#[derive(Debug)]
pub(super) struct Virtual<'s> {
    pub(super) server: &'s Server,
    id: String,
    /// The issuer: the origin with the requested path.
    pub(super) url: String,
}

impl Virtual<'_> {
    /// Returns the log so far.
    pub(super) fn log(&self) -> anyhow::Result<Log> {
        Ok(Log(self.server.call("GET", &format!("/control/servers/{}/log", self.id), None)?))
    }

    /// Waits until this many polls have arrived.
    pub(super) fn wait_for_polls(&self, count: usize) -> anyhow::Result<()> {
        let path = format!("/control/servers/{}/log?endpoint=token&count={count}&timeout=20", self.id);
        let log = Log(self.server.call("GET", &path, None)?);
        if log.requests("token").count() < count {
            bail!("the polls did not arrive in time");
        }
        Ok(())
    }
}

impl Drop for Virtual<'_> {
    fn drop(&mut self) {
        let _ = self.server.call("DELETE", &format!("/control/servers/{}", self.id), None);
    }
}

/// The log of a virtual server.
#[derive(Debug)]
pub(super) struct Log(Value);

impl Log {
    fn all(&self, of: &str) -> impl Iterator<Item = &Value> {
        self.0.get(of).and_then(Value::as_array).into_iter().flatten()
    }

    pub(super) fn connections(&self) -> impl Iterator<Item = &Value> {
        self.all("connections")
    }

    /// Returns the requests in order of arrival.
    pub(super) fn requests(&self, endpoint: &str) -> impl Iterator<Item = &Value> {
        self.all("requests").filter(move |request| request.get("endpoint").is_some_and(|it| it == endpoint))
    }

    /// Returns the seconds from each response to the arrival of the next request.
    pub(super) fn gaps(&self) -> Vec<f64> {
        let times: Vec<_> = self
            .all("requests")
            .map(|request| (number(request, "arrived"), number(request, "replied")))
            .collect();
        let gap = |pair: &[(Option<f64>, Option<f64>)]| match pair {
            [(_, Some(replied)), (Some(arrived), _)] => Some(arrived - replied),
            _ => None,
        };
        times.windows(2).filter_map(gap).collect()
    }
}

/// Returns a number in a log entry.
pub(super) fn number(entry: &Value, name: &str) -> Option<f64> {
    entry.get(name).and_then(Value::as_f64)
}
