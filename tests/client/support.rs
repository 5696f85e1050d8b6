//! One authorization server process for all tests, with a virtual server for each test.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::OnceLock,
    time::{Duration, Instant},
};

use cli_auth::{Client, ClientBuilder, Error, Login, Prompt, Step};
use serde_json::{Value, json};

/// Timeout for events that must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Upper bound for "immediately". A call that is not immediate takes minutes in these tests, so a busy machine does not
/// cause a failure.
pub(crate) const AT_ONCE: Duration = Duration::from_secs(20);

/// Timeout of a client whose requests hang, long enough that it never applies during a test.
pub(crate) const NEVER: Duration = Duration::from_secs(300);

static CONTROL: OnceLock<(authserver::Running, String)> = OnceLock::new();

fn control() -> &'static str {
    let (_, address) = CONTROL.get_or_init(|| {
        let options = authserver::Options { control: true, ..authserver::Options::default() };
        let running = authserver::start(options).unwrap();
        let address = running.urls()[0].trim_start_matches("http://").to_owned();
        (running, address)
    });
    address
}

/// Configures a client for a loopback server, with timeouts that never apply during a test.
pub(crate) fn patient(builder: ClientBuilder) -> ClientBuilder {
    builder.allow_insecure_loopback(true).connect_timeout(NEVER).read_timeout(NEVER).request_timeout(NEVER)
}

/// Sends a request to the control interface.
fn call_control(method: &str, path: &str, body: &Value) -> Value {
    let address = control();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 2"), "{head} {body}");
    serde_json::from_str(body).unwrap_or_default()
}

/// A virtual server that is deleted when dropped.
pub(crate) struct Server {
    id: String,
    pub(crate) url: String,
    pub(crate) ca_pem: Option<String>,
}

impl Server {
    pub(crate) fn new(settings: Value) -> Self {
        let created = call_control("POST", "/control/servers", &settings);
        Self {
            id: created["id"].as_str().unwrap().to_owned(),
            url: created["url"].as_str().unwrap().to_owned(),
            ca_pem: created["ca_pem"].as_str().map(str::to_owned),
        }
    }

    /// Creates an http server that approves immediately, with an interval of one second.
    pub(crate) fn approving(script: Value) -> Self {
        Self::new(json!({"interval": 1, "answer": "approve", "script": script}))
    }

    /// Returns a client that discovers this server.
    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        let builder = patient(Client::for_issuer(&self.url, "client_1")).scope("offline_access");
        match &self.ca_pem {
            Some(pem) => builder.ca_pem(pem.as_bytes()),
            None => builder,
        }
    }

    /// Waits until `count` requests have reached an endpoint, and returns all of its requests.
    pub(crate) fn requests(&self, endpoint: &str, count: usize) -> Vec<Value> {
        let path = format!("/control/servers/{}/log?endpoint={endpoint}&count={count}&timeout=50", self.id);
        let log = call_control("GET", &path, &Value::Null);
        let all = log["requests"].as_array().unwrap();
        all.iter().filter(|request| request["endpoint"] == endpoint).cloned().collect()
    }

    pub(crate) fn connections(&self) -> Vec<Value> {
        let log = call_control("GET", &format!("/control/servers/{}/log", self.id), &Value::Null);
        log["connections"].as_array().unwrap().clone()
    }

    /// Waits until the client has closed all of its connections.
    pub(crate) fn wait_until_disconnected(&self) {
        let end = Instant::now() + PATIENCE;
        while !self.connections().iter().all(|connection| connection["closed_by"] == "client") {
            assert!(Instant::now() < end, "{:?}", self.connections());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn set_decision(&self, decision: &str) {
        call_control("POST", &format!("/control/servers/{}/answer", self.id), &json!({"decision": decision}));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            call_control("DELETE", &format!("/control/servers/{}", self.id), &Value::Null);
        }
    }
}

/// Steps without blocking until `found` accepts the result.
pub(crate) fn step_until(
    login: &Login,
    mut found: impl FnMut(&Result<Step, Error>) -> bool,
) -> Result<Step, Error> {
    let end = Instant::now() + PATIENCE;
    loop {
        let step = login.step(Duration::ZERO);
        if found(&step) {
            return step;
        }
        assert!(Instant::now() < end, "the expected step did not occur: {step:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub(crate) fn is_waiting(step: &Result<Step, Error>) -> bool {
    matches!(step, Ok(Step::Waiting { .. }))
}

/// Returns a started login with its prompt.
pub(crate) fn started(client: &Client) -> (Login, Prompt) {
    let login = client.login();
    let prompt = login.start().unwrap();
    (login, prompt)
}
