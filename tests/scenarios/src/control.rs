//! The authserver process and its control interface.

use std::io::{self, BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use ureq::Agent;
use ureq::http::Request;

use crate::log::Log;

/// The running server process. It ends when this value is dropped or the runner exits.
#[derive(Debug)]
pub(crate) struct AuthServer {
    child: Child,
    /// The server exits when this pipe is closed.
    _stdin: Option<ChildStdin>,
    control: Control,
}

/// A handle for the control interface, cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Control {
    agent: Agent,
    base: String,
}

/// A virtual server as the control interface describes it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct VirtualServer {
    pub(crate) id: String,
    pub(crate) url: String,
    pub(crate) issuer: String,
    pub(crate) port: u16,
    pub(crate) other_url: String,
    pub(crate) ca_pem: Option<String>,
}

/// Converts between the server's clock and this process's clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ServerClock {
    here: Instant,
    there: f64,
}

impl ServerClock {
    #[cfg(test)]
    pub(crate) fn new(here: Instant, there: f64) -> Self {
        Self { here, there }
    }

    #[cfg(test)]
    pub(crate) fn start(self) -> Instant {
        self.here
    }

    /// Returns the server's time at a moment of this process.
    pub(crate) fn at(self, moment: Instant) -> f64 {
        match moment.checked_duration_since(self.here) {
            Some(after) => self.there + after.as_secs_f64(),
            None => self.there - self.here.duration_since(moment).as_secs_f64(),
        }
    }
}

const START_PATIENCE: Duration = Duration::from_secs(20);
/// Longer than the longest wait that the server permits for one request.
const CALL_PATIENCE: Duration = Duration::from_secs(70);
const LONGEST_WAIT: u64 = 60;

impl AuthServer {
    pub(crate) fn start(program: &Path) -> io::Result<Self> {
        let mut child = Command::new(program)
            .args(["--control", "--listen", "127.0.0.1:0", "--exit-on-eof"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", program.display())))?;
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().ok_or_else(|| io::Error::other("no output"))?;
        let (sender, receiver) = mpsc::channel();
        // Reads to the end so that the server never writes to a full or closed pipe.
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let ready = receiver.recv_timeout(START_PATIENCE).ok();
        let base = ready.as_deref().and_then(|line| line.strip_prefix("READY ")).map(str::to_owned);
        let Some(base) = base else {
            let _ = child.kill();
            let _ = child.wait();
            return Err(io::Error::other("the authorization server did not print READY"));
        };
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .timeout_global(Some(CALL_PATIENCE))
            .max_idle_connections_per_host(64)
            .build()
            .new_agent();
        Ok(Self { child, _stdin: stdin, control: Control { agent, base } })
    }

    pub(crate) fn control(&self) -> Control {
        self.control.clone()
    }
}

impl Drop for AuthServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Control {
    /// Synchronizes the clocks using the fastest of a few requests.
    pub(crate) fn clock(&self) -> Result<ServerClock, String> {
        let mut best: Option<(Duration, ServerClock)> = None;
        for _ in 0..3 {
            let before = Instant::now();
            let value = self.call("GET", "clock", None)?;
            let took = before.elapsed();
            let there = value.get("now").and_then(Value::as_f64).ok_or("the response has no time")?;
            if best.is_none_or(|(quickest, _)| took < quickest) {
                best = Some((took, ServerClock { here: before + took / 2, there }));
            }
        }
        best.map(|(_, clock)| clock).ok_or_else(|| "the clocks could not be synchronized".to_owned())
    }

    pub(crate) fn create(&self, settings: &Map<String, Value>) -> Result<VirtualServer, String> {
        let value = self.call("POST", "servers", Some(&Value::Object(settings.clone())))?;
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    pub(crate) fn delete(&self, id: &str) -> Result<(), String> {
        self.call("DELETE", &format!("servers/{id}"), None).map(drop)
    }

    /// Returns the log, parsed and raw. Its secrets include the issued device codes.
    pub(crate) fn log(&self, id: &str) -> Result<(Log, Value), String> {
        let value = self.call("GET", &format!("servers/{id}/log"), None)?;
        let mut log: Log = serde_json::from_value(value.clone()).map_err(|error| error.to_string())?;
        let server = self.call("GET", &format!("servers/{id}"), None)?;
        let codes = server.get("codes").and_then(Value::as_array).into_iter().flatten();
        log.secrets.extend(codes.filter_map(|code| code.get("device_code")?.as_str().map(str::to_owned)));
        Ok((log, value))
    }

    pub(crate) fn script(&self, id: &str, script: &Value) -> Result<(), String> {
        self.call("PUT", &format!("servers/{id}/script"), Some(script)).map(drop)
    }

    pub(crate) fn answer(&self, id: &str, decision: &Value) -> Result<(), String> {
        self.call("POST", &format!("servers/{id}/answer"), Some(decision)).map(drop)
    }

    pub(crate) fn listening(&self, id: &str, listening: bool) -> Result<(), String> {
        self.call("PUT", &format!("servers/{id}/listening"), Some(&json!({ "listening": listening })))
            .map(drop)
    }

    /// Waits for up to about a minute until `count` requests have arrived. Returns whether they have.
    pub(crate) fn wait_for(&self, id: &str, endpoint: &str, count: u32) -> Result<bool, String> {
        let path = format!("servers/{id}/log?endpoint={endpoint}&count={count}&timeout={LONGEST_WAIT}");
        let log: Log =
            serde_json::from_value(self.call("GET", &path, None)?).map_err(|error| error.to_string())?;
        Ok(log.to(endpoint).count() >= usize::try_from(count).unwrap_or(usize::MAX))
    }

    fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, String> {
        let failed = |error: &dyn std::fmt::Display| format!("{method} /control/{path}: {error}");
        let builder = Request::builder().method(method).uri(format!("{}/control/{path}", self.base));
        let answer = match body {
            Some(body) => {
                let request = builder.header("content-type", "application/json").body(body.to_string());
                self.agent.run(request.map_err(|error| failed(&error))?)
            }
            None => self.agent.run(builder.body(()).map_err(|error| failed(&error))?),
        };
        let mut answer = answer.map_err(|error| failed(&error))?;
        let text = answer.body_mut().with_config().limit(64 << 20).read_to_string();
        let text = text.map_err(|error| failed(&error))?;
        if !answer.status().is_success() {
            return Err(failed(&format!("{} {text}", answer.status())));
        }
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).map_err(|error| failed(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_converts_in_both_directions() {
        let here = Instant::now() + Duration::from_secs(10);
        let clock = ServerClock::new(here, 100.0);
        assert!((clock.at(here + Duration::from_secs(2)) - 102.0).abs() < 1e-9);
        assert!((clock.at(here - Duration::from_secs(2)) - 98.0).abs() < 1e-9);
    }
}
