//! The real program, and an HTTP client that hides nothing.
#![allow(dead_code)] // each test file uses its part

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};

pub(crate) const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// The program, ended with the test.
pub(crate) struct Process {
    child: Child,
    _stdin: ChildStdin,
    pub(crate) urls: Vec<String>,
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Process {
    pub(crate) fn start(arguments: &[&str]) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_authserver"));
        command.args(arguments).arg("--exit-on-eof").stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let listeners = arguments.iter().filter(|argument| **argument == "--listen").count().max(1);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().take(listeners);
        let urls = lines.map(|line| line.unwrap().strip_prefix("READY ").unwrap().to_owned()).collect();
        let _stdin = child.stdin.take().unwrap();
        Process { child, _stdin, urls }
    }

    /// The command line's own listener, without TLS.
    pub(crate) fn main(&self) -> Target {
        Target { url: self.urls[0].clone(), ca: None, tls: None }
    }

    pub(crate) fn control(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let headers = [("Content-Type", "application/json")];
        let reply = self.main().send(method, path, &headers, body.to_string().as_bytes()).unwrap();
        (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
    }

    /// A server of its own, which has to be possible.
    pub(crate) fn server(&self, settings: Value) -> Server<'_> {
        let (status, made) = self.control("POST", "/control/servers", &settings);
        assert_eq!(status, 201, "{made}");
        let text = |name: &str| made[name].as_str().map(str::to_owned);
        let target = Target { url: text("url").unwrap(), ca: text("ca_pem"), tls: None };
        Server { process: self, id: text("id").unwrap(), target, made }
    }
}

/// A virtual server.
pub(crate) struct Server<'a> {
    pub(crate) process: &'a Process,
    pub(crate) id: String,
    pub(crate) target: Target,
    pub(crate) made: Value,
}

impl Server<'_> {
    pub(crate) fn control(&self, method: &str, what: &str, body: &Value) -> (u16, Value) {
        self.process.control(method, &format!("/control/servers/{}{what}", self.id), body)
    }

    pub(crate) fn log(&self) -> Value {
        self.control("GET", "/log", &json!({})).1
    }

    /// Starts a login at Connect's endpoint.
    pub(crate) fn start(&self, scope: &str) -> Value {
        let mut form = vec![("client_id", "client_test")];
        if !scope.is_empty() {
            form.push(("scope", scope));
        }
        let reply = self.target.post("/oauth2/device_authorization", &form);
        assert_eq!(reply.status, 200, "{:?}", reply.text());
        reply.json()
    }

    /// Polls Connect's endpoint.
    pub(crate) fn poll(&self, started: &Value) -> Reply {
        let device_code = started["device_code"].as_str().unwrap();
        let form = [("grant_type", DEVICE_GRANT), ("device_code", device_code), ("client_id", "client_test")];
        self.target.post("/oauth2/token", &form)
    }

    pub(crate) fn refresh(&self, token: &str) -> Reply {
        let form = [("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", "client_test")];
        self.target.post("/oauth2/token", &form)
    }
}

/// Where to connect, and what to trust.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) url: String,
    pub(crate) ca: Option<String>,
    /// Shared by connections that should resume sessions.
    pub(crate) tls: Option<Arc<ClientConfig>>,
}

pub(crate) trait Stream: Read + Write {}
impl<T: Read + Write> Stream for T {}

#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The `error` of an OAuth error.
    pub(crate) fn error(&self) -> (u16, String) {
        (self.status, self.json()["error"].as_str().unwrap_or_default().to_owned())
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

impl Target {
    pub(crate) fn authority(&self) -> &str {
        self.url.split_once("://").unwrap().1
    }

    pub(crate) fn tls_config(&self) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.ca.as_ref().unwrap().as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
    }

    pub(crate) fn connect(&self) -> std::io::Result<Box<dyn Stream>> {
        let tcp = TcpStream::connect(self.authority())?;
        tcp.set_read_timeout(Some(Duration::from_secs(20)))?;
        if self.url.starts_with("http:") {
            return Ok(Box::new(tcp));
        }
        let config = self.tls.clone().unwrap_or_else(|| self.tls_config());
        let host = self.authority().rsplit_once(':').unwrap().0.trim_matches(['[', ']']).to_owned();
        let name = ServerName::try_from(host).unwrap();
        let mut stream = StreamOwned::new(ClientConnection::new(config, name).unwrap(), tcp);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(Box::new(stream))
    }

    pub(crate) fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.authority());
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if method != "GET" && method != "HEAD" {
            request.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        let mut request = request.into_bytes();
        request.extend_from_slice(body);
        request
    }

    /// One request on a connection of its own.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> std::io::Result<Reply> {
        let mut stream = self.connect()?;
        stream.write_all(&self.request(method, path, headers, body))?;
        read_reply(&mut *stream)
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], b"").unwrap()
    }

    pub(crate) fn try_post(&self, path: &str, form: &[(&str, &str)]) -> std::io::Result<Reply> {
        let headers = [("Content-Type", "application/x-www-form-urlencoded")];
        self.send("POST", path, &headers, encode(form).as_bytes())
    }

    pub(crate) fn post(&self, path: &str, form: &[(&str, &str)]) -> Reply {
        self.try_post(path, form).unwrap()
    }
}

/// A form, everything but letters and digits escaped.
pub(crate) fn encode(form: &[(&str, &str)]) -> String {
    let escape = |text: &str| -> String {
        let byte = |byte: u8| match byte.is_ascii_alphanumeric() {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        };
        text.bytes().map(byte).collect()
    };
    let pairs: Vec<String> =
        form.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
    pairs.join("&")
}

/// Reads one answer by its length, its chunks or the end of the connection; what is cut short is an error.
pub(crate) fn read_reply(stream: &mut dyn Stream) -> std::io::Result<Reply> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(read_byte(stream)?);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let mut lines = head.trim_end().split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap_or_default().parse();
    let status: u16 = status.map_err(|_| std::io::Error::new(ErrorKind::InvalidData, head.clone()))?;
    let headers = lines.map(|line| line.split_once(": ").unwrap());
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let mut reply = Reply { status, headers, body: Vec::new() };
    if status < 200 {
        return read_reply(stream);
    }
    if reply.header("transfer-encoding").is_some() {
        loop {
            let size = usize::from_str_radix(&read_line(stream)?, 16).unwrap();
            let mut chunk = vec![0; size];
            stream.read_exact(&mut chunk)?;
            read_line(stream)?;
            if size == 0 {
                break;
            }
            reply.body.extend(chunk);
        }
    } else if let Some(length) = reply.header("content-length") {
        reply.body = vec![0; length.parse().unwrap()];
        stream.read_exact(&mut reply.body)?;
    } else if status != 204 {
        stream.read_to_end(&mut reply.body)?;
    }
    Ok(reply)
}

fn read_byte(stream: &mut dyn Stream) -> std::io::Result<u8> {
    let mut byte = [0];
    stream.read_exact(&mut byte)?;
    Ok(byte[0])
}

fn read_line(stream: &mut dyn Stream) -> std::io::Result<String> {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        line.push(read_byte(stream)?);
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}

pub(crate) fn sleep(seconds: f64) {
    std::thread::sleep(Duration::from_secs_f64(seconds));
}
