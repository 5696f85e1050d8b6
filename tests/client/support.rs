//! One authorization server for all tests, with a virtual server for each.

use std::{
    io::{Read, Write},
    net::TcpStream,
    sync::OnceLock,
    time::{Duration, Instant},
};

use cli_auth::{Client, ClientBuilder, Error, Login, Prompt, Step};
use serde_json::{Value, json};

/// Longest wait for what has to come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// "At once". What would come late in these tests takes minutes, so that a busy machine cannot be taken for it.
pub(crate) const AT_ONCE: Duration = Duration::from_secs(20);

/// Timeout of a client whose requests are to hang: none ends by itself while a test looks at it.
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

/// A client of this machine that waits as long as a test does.
pub(crate) fn patient(builder: ClientBuilder) -> ClientBuilder {
    builder.allow_insecure_loopback(true).connect_timeout(NEVER).read_timeout(NEVER).request_timeout(NEVER)
}

/// One request to the control interface.
fn ask(method: &str, path: &str, body: &Value) -> Value {
    let address = control();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 2"), "{head} {body}");
    serde_json::from_str(body).unwrap_or_default()
}

/// A virtual server; deleted when dropped.
pub(crate) struct Server {
    id: String,
    pub(crate) url: String,
    pub(crate) ca_pem: Option<String>,
}

impl Server {
    pub(crate) fn new(settings: Value) -> Self {
        let made = ask("POST", "/control/servers", &settings);
        Self {
            id: made["id"].as_str().unwrap().to_owned(),
            url: made["url"].as_str().unwrap().to_owned(),
            ca_pem: made["ca_pem"].as_str().map(str::to_owned),
        }
    }

    /// A server over http that approves at once, with an interval of one second.
    pub(crate) fn approving(script: Value) -> Self {
        Self::new(json!({"interval": 1, "answer": "approve", "script": script}))
    }

    /// A client that discovers this server.
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

    /// Waits until this many requests reached an endpoint, and gives all of its requests.
    pub(crate) fn requests(&self, endpoint: &str, count: usize) -> Vec<Value> {
        let path = format!("/control/servers/{}/log?endpoint={endpoint}&count={count}&timeout=50", self.id);
        let log = ask("GET", &path, &Value::Null);
        let all = log["requests"].as_array().unwrap();
        all.iter().filter(|request| request["endpoint"] == endpoint).cloned().collect()
    }

    pub(crate) fn connections(&self) -> Vec<Value> {
        let log = ask("GET", &format!("/control/servers/{}/log", self.id), &Value::Null);
        log["connections"].as_array().unwrap().clone()
    }

    /// Waits until the client has closed all of its connections.
    pub(crate) fn no_connection(&self) {
        let end = Instant::now() + PATIENCE;
        while !self.connections().iter().all(|connection| connection["closed_by"] == "client") {
            assert!(Instant::now() < end, "{:?}", self.connections());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn answer(&self, decision: &str) {
        ask("POST", &format!("/control/servers/{}/answer", self.id), &json!({"decision": decision}));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            ask("DELETE", &format!("/control/servers/{}", self.id), &Value::Null);
        }
    }
}

/// Steps without ever waiting inside, until something comes of it.
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
        assert!(Instant::now() < end, "nothing came: {step:?}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

pub(crate) fn is_waiting(step: &Result<Step, Error>) -> bool {
    matches!(step, Ok(Step::Waiting { .. }))
}

/// A login that has its code.
pub(crate) fn started(client: &Client) -> (Login, Prompt) {
    let login = client.login();
    let prompt = login.start().unwrap();
    (login, prompt)
}
