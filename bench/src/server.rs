//! The authorization server that is measured against, and its control interface.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;

use super::program::{Watchdog, cpu_ms};

/// Longer than the longest wait that is asked of the control interface.
const PATIENCE: Duration = Duration::from_secs(30);
/// Answers of the control interface are logs of at most some thousand requests.
const LONGEST_ANSWER: u64 = 256 * 1024 * 1024;

/// The server process, until this value goes.
#[derive(Debug)]
pub(super) struct Server {
    process: Child,
    /// `HOST:PORT` of the control interface.
    control: String,
    /// The certificate that its clients have to trust.
    pub(super) ca_file: PathBuf,
}

impl Server {
    pub(super) fn start(program: &Path, ca_file: PathBuf) -> anyhow::Result<Self> {
        let mut process = Command::new(program)
            // A token signed with P-256 costs it little: it shares the machine with what is measured.
            .args(["--control", "--listen", "127.0.0.1:0", "--alg", "es256", "--exit-on-eof", "--ca-out"])
            .arg(&ca_file)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("the authorization server does not start")?;
        let stdout = process.stdout.take().context("its output is piped")?;
        // From here on its end is seen to, whatever happens.
        let mut server = Self { process, control: String::new(), ca_file };
        let mut line = String::new();
        let _watchdog = Watchdog::over(&server.process, PATIENCE)?;
        BufReader::new(stdout).read_line(&mut line)?;
        match line.trim().strip_prefix("READY http://") {
            Some(address) => server.control = address.to_owned(),
            None => bail!("the authorization server said {line:?}"),
        }
        Ok(server)
    }

    /// A virtual server of its own for one measure, over https.
    pub(super) fn open(&self, mut settings: Value) -> anyhow::Result<Virtual<'_>> {
        if let Some(settings) = settings.as_object_mut() {
            settings.insert("tls".to_owned(), "good".into());
        }
        let made = self.call("POST", "/control/servers", Some(&settings))?;
        let text = |name: &str| made.get(name).and_then(Value::as_str).map(str::to_owned);
        let (id, url) = (text("id"), text("issuer"));
        Ok(Virtual { server: self, id: id.context("no id")?, url: url.context("no url")? })
    }

    /// Processor time of this process so far.
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
        let (head, body) = answer.split_once("\r\n\r\n").context("the control interface was cut off")?;
        if !head.starts_with("HTTP/1.1 2") {
            bail!("the control interface refused {method} {path}: {body}");
        }
        if body.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_str(body)?) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It stores nothing, so there is nothing to wait for.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A virtual server, until this value goes.
#[derive(Debug)]
pub(super) struct Virtual<'s> {
    pub(super) server: &'s Server,
    id: String,
    /// Its issuer: the origin, and below it the path that was asked for.
    pub(super) url: String,
}

impl Virtual<'_> {
    /// What happened here so far.
    pub(super) fn log(&self) -> anyhow::Result<Log> {
        Ok(Log(self.server.call("GET", &format!("/control/servers/{}/log", self.id), None)?))
    }

    /// Waits until so many polls have arrived.
    pub(super) fn wait_for_polls(&self, count: usize) -> anyhow::Result<()> {
        let path = format!("/control/servers/{}/log?endpoint=token&count={count}&timeout=20", self.id);
        let log = Log(self.server.call("GET", &path, None)?);
        if log.requests("token").count() < count {
            bail!("the polls did not come in time");
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

    /// In the order in which they arrived.
    pub(super) fn requests(&self, endpoint: &str) -> impl Iterator<Item = &Value> {
        self.all("requests").filter(move |request| request.get("endpoint").is_some_and(|it| it == endpoint))
    }

    /// Seconds from each answer to the arrival of the next request.
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

/// A number of a log entry.
pub(super) fn number(entry: &Value, name: &str) -> Option<f64> {
    entry.get(name).and_then(Value::as_f64)
}
