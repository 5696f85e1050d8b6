//! Runs one case: sets it up, starts the tool, performs the actions and records the observations.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use tempfile::TempDir;

use crate::browser::FakeBrowsers;
use crate::case::{Action, Case, Deed, Login, When};
use crate::control::{Control, ServerClock, VirtualServer};
use crate::fill::Values;
use crate::log::Log;
use crate::peers::Peer;
use crate::resolver;
use crate::tool::{End, Start, Stream, Tool};

/// Everything observed during one run.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) end: End,
    /// Seconds from start to exit.
    pub(crate) elapsed: f64,
    /// Seconds from the last ending signal to exit.
    pub(crate) ended_after_signal: Option<f64>,
    /// The server's time of the first ending signal.
    pub(crate) signalled_at: Option<f64>,
    pub(crate) stdout: Stream,
    pub(crate) stderr: Stream,
    pub(crate) stdout_closed: bool,
    pub(crate) log: Log,
    pub(crate) clock: ServerClock,
    pub(crate) peers: BTreeMap<String, Vec<String>>,
    pub(crate) opened: Vec<Vec<String>>,
    pub(crate) peak_rss_kb: u64,
    /// Existing files that the case forbids.
    pub(crate) unwanted_files: Vec<String>,
    /// Actions whose condition never held.
    pub(crate) missed_actions: Vec<String>,
    /// The placeholder values of the run, for expectations that contain URLs.
    pub(crate) values: Values,
    /// The server's raw log, for the report of a failure.
    pub(crate) command: Vec<String>,
    pub(crate) raw_log: Value,
}

/// Polling interval while nothing is written. The exit of the tool closes its streams, which is noticed immediately.
const LOOK: Duration = Duration::from_millis(40);
/// Maximum time of a case beyond its typical duration.
const PATIENCE: Duration = Duration::from_secs(60);

/// Environment variables that would change the behaviour of a tool; removed before a case sets its own.
const CLEARED: &[&str] = &[
    "BROWSER",
    "CI",
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "CONTINUOUS_INTEGRATION",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "FORCE_COLOR",
    "GITHUB_ACTIONS",
    "MIR_SOCKET",
    "NO_COLOR",
    "SSH_CLIENT",
    "SSH_CONNECTION",
    "SSH_TTY",
    "SSLKEYLOGFILE",
    "WAYLAND_DISPLAY",
    "WSL_DISTRO_NAME",
    "WSL_INTEROP",
    "all_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "ALL_PROXY",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
];

pub(crate) fn play(case: &Case, program: &str, control: &Control) -> Result<Seen, String> {
    let text = |error: io::Error| error.to_string();
    let folder = TempDir::new().map_err(text)?;
    let browsers = FakeBrowsers::make(&folder.path().join("bin")).map_err(text)?;
    let mut peers = BTreeMap::new();
    for (name, manner) in &case.peers {
        peers.insert(name.clone(), Peer::start(*manner).map_err(text)?);
    }
    let mut values = peer_values(&peers);
    values.set("dir", folder.path().display().to_string());

    let second = match &case.second {
        Some(own) => Some(control.create(&settings(own, &values))?),
        None => None,
    };
    if let Some(second) = &second {
        values.set("second_url", second.url.as_str());
    }
    let server = control.create(&settings(&case.server, &values))?;
    let running = Running { case, control, server: &server };
    let seen = running.play(program, &folder, &browsers, &peers, values);
    for server in [Some(&server), second.as_ref()].into_iter().flatten() {
        control.delete(&server.id)?;
    }
    seen
}

/// Returns the server settings of a case, merged over the defaults.
fn settings(own: &Map<String, Value>, values: &Values) -> Map<String, Value> {
    let mut settings = Map::new();
    settings.insert("interval".to_owned(), 1.into());
    settings.insert("answer".to_owned(), "approve".into());
    settings.extend(own.iter().map(|(name, value)| (name.clone(), values.json(value))));
    settings
}

fn peer_values(peers: &BTreeMap<String, Peer>) -> Values {
    let mut values = Values::default();
    for (name, peer) in peers {
        values.set(name, format!("127.0.0.1:{}", peer.port()));
    }
    values
}

struct Running<'a> {
    case: &'a Case,
    control: &'a Control,
    server: &'a VirtualServer,
}

impl Running<'_> {
    fn play(
        &self,
        program: &str,
        folder: &TempDir,
        browsers: &FakeBrowsers,
        peers: &BTreeMap<String, Peer>,
        mut values: Values,
    ) -> Result<Seen, String> {
        self.server_values(folder.path(), &mut values)?;
        let args = arguments(self.case, self.server.ca_pem.is_some(), &values);
        let mut env = environment(self.case, browsers, &values);
        env.extend(resolver::variables(&self.case.resolver, folder.path())?);
        let clock = self.control.clock()?;
        let columns = self.case.terminal.then_some(self.case.columns);
        let start = Start { program, args: &args, env: &env, columns };
        let mut tool = Tool::start(&start).map_err(|error| format!("{program}: {error}"))?;
        let mut actions = Actions::new(self);
        let limit =
            tool.started + PATIENCE + Duration::try_from_secs_f64(self.case.takes).unwrap_or_default();
        let end = loop {
            tool.read(actions.due_in(LOOK));
            if self.case.expect.max_rss_mb.is_some() {
                tool.note_memory();
            }
            if let Some(end) = tool.ended().map_err(|error| error.to_string())? {
                break end;
            }
            if Instant::now() > limit {
                tool.kill();
                break End::TimedOut;
            }
            actions.advance(&mut tool, peers)?;
        };
        let ended = Instant::now();
        tool.read_rest();
        // The server notices the end of a connection a moment later than the tool.
        thread::sleep(Duration::from_millis(30));
        let (log, raw_log) = self.control.log(&self.server.id)?;
        Ok(Seen {
            end,
            elapsed: (ended - tool.started).as_secs_f64(),
            ended_after_signal: actions.last_signal.map(|at| (ended - at).as_secs_f64()),
            signalled_at: actions.first_signal.map(|at| clock.at(at)),
            stdout: tool.stdout,
            stderr: tool.stderr,
            stdout_closed: actions.stdout_closed,
            log,
            clock,
            peers: peers.iter().map(|(name, peer)| (name.clone(), peer.seen())).collect(),
            opened: browsers.calls(),
            peak_rss_kb: tool.peak_rss_kb,
            unwanted_files: self.unwanted_files(folder.path()),
            missed_actions: actions.missed_actions(),
            values,
            command: [vec![program.to_owned()], args].concat(),
            raw_log,
        })
    }

    fn unwanted_files(&self, folder: &Path) -> Vec<String> {
        let names = self.case.expect.absent_files.iter();
        names.filter(|name| folder.join(name).exists()).cloned().collect()
    }

    fn server_values(&self, folder: &Path, values: &mut Values) -> Result<(), String> {
        values.set("url", self.server.url.as_str());
        values.set("issuer", self.server.issuer.as_str());
        values.set("other_url", self.server.other_url.as_str());
        values.set("port", self.server.port.to_string());
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).map_err(|error| error.to_string())?;
            Ok::<_, String>(path.display().to_string())
        };
        if let Some(pem) = &self.server.ca_pem {
            values.set("ca_file", write("ca.pem", pem)?);
        }
        for (name, text) in &self.case.files {
            write(name, text)?;
        }
        Ok(())
    }
}

/// Returns the arguments that `login` stands for, then those of the case. An option of the case replaces a generated
/// one.
fn arguments(case: &Case, tls: bool, values: &Values) -> Vec<String> {
    let mut made: Vec<&[&str]> = vec![&["login"], &["--client-id", "client_cli"]];
    match case.login {
        Login::Endpoints => made.extend([
            &["--provider", "endpoints"][..],
            &["--device-endpoint", "{url}/oauth2/device_authorization"],
            &["--token-endpoint", "{url}/oauth2/token"],
        ]),
        Login::Authkit => made.extend([&["--provider", "authkit"][..], &["--api-base", "{url}"]]),
        Login::Connect => made.extend([&["--provider", "connect"][..], &["--domain", "{url}"]]),
        Login::Oidc => made.extend([&["--provider", "oidc"][..], &["--issuer", "{issuer}"]]),
        Login::Custom => made.clear(),
    }
    if case.login != Login::Custom {
        made.push(if tls { &["--ca-file", "{ca_file}"] } else { &["--insecure-loopback"] });
        if case.json {
            made.push(&["--json"]);
        }
    }
    made.retain(|command_line| {
        !command_line.first().is_some_and(|option| case.args.iter().any(|arg| arg == option))
    });
    let own = case.args.iter().map(String::as_str);
    made.into_iter().flatten().copied().chain(own).map(|arg| values.text(arg)).collect()
}

fn environment(case: &Case, browsers: &FakeBrowsers, values: &Values) -> Vec<(String, Option<String>)> {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut env: BTreeMap<String, Option<String>> =
        CLEARED.iter().map(|name| ((*name).to_owned(), None)).collect();
    env.insert("PATH".to_owned(), Some(format!("{}:{path}", browsers.folder().display())));
    env.insert("TERM".to_owned(), Some("xterm-256color".to_owned()));
    env.insert("LC_ALL".to_owned(), Some("C.UTF-8".to_owned()));
    // Logins are kept in the directory of the case, and not in that of the user who runs it.
    env.insert("XDG_STATE_HOME".to_owned(), Some(values.text("{dir}/state")));
    env.insert("XDG_RUNTIME_DIR".to_owned(), Some(values.text("{dir}/run")));
    let own =
        case.env.iter().map(|(name, value)| (name.clone(), value.as_deref().map(|text| values.text(text))));
    env.extend(own);
    env.into_iter().collect()
}

/// The actions of a case, in order.
struct Actions<'a> {
    running: &'a Running<'a>,
    left: std::slice::Iter<'a, Action>,
    current: Option<Waiting<'a>>,
    first_signal: Option<Instant>,
    last_signal: Option<Instant>,
    stdout_closed: bool,
}

struct Waiting<'a> {
    action: &'a Action,
    /// When the condition became true.
    due: Option<Instant>,
    /// Receives the arrival time if the condition is about requests.
    arrived: Option<mpsc::Receiver<Instant>>,
}

impl<'a> Actions<'a> {
    fn new(running: &'a Running<'a>) -> Self {
        let left = running.case.actions.iter();
        let mut actions = Self {
            running,
            left,
            current: None,
            first_signal: None,
            last_signal: None,
            stdout_closed: false,
        };
        actions.next();
        actions
    }

    fn next(&mut self) {
        let (control, id) = (self.running.control, &self.running.server.id);
        self.current = self.left.next().map(|action| {
            let arrived = match &action.when {
                When::Requests { endpoint, count } => Some(watch_requests(control, id, endpoint, *count)),
                _ => None,
            };
            Waiting { action, due: None, arrived }
        });
    }

    fn advance(&mut self, tool: &mut Tool, peers: &BTreeMap<String, Peer>) -> Result<(), String> {
        let Some(waiting) = &mut self.current else { return Ok(()) };
        let now = Instant::now();
        if waiting.due.is_none() {
            let wait = Duration::try_from_secs_f64(waiting.action.wait).unwrap_or_default();
            let json = self.running.case.json;
            waiting.due = true_since(waiting, tool, peers, json).map(|since| since + wait);
        }
        if waiting.due.is_some_and(|due| due <= now) {
            let deed = &waiting.action.deed;
            self.perform(deed, tool)?;
            self.next();
        }
        Ok(())
    }

    /// Returns the time until the next action if that is known and less than `usual`, otherwise `usual`.
    fn due_in(&self, usual: Duration) -> Duration {
        let due = self.current.as_ref().and_then(|waiting| waiting.due);
        due.map_or(usual, |due| due.saturating_duration_since(Instant::now()).min(usual))
    }

    fn perform(&mut self, deed: &Deed, tool: &mut Tool) -> Result<(), String> {
        let (control, id) = (self.running.control, &self.running.server.id);
        match deed {
            Deed::Signal(name) => {
                let now = Instant::now();
                tool.signal(*name).map_err(|error| error.to_string())?;
                if name.ends() {
                    self.first_signal.get_or_insert(now);
                    self.last_signal = Some(now);
                }
            }
            Deed::Answer(decision) => control.answer(id, decision)?,
            Deed::CloseStdout => {
                tool.close_stdout();
                self.stdout_closed = true;
            }
            Deed::Listening(listening) => control.listening(id, *listening)?,
        }
        Ok(())
    }

    fn missed_actions(self) -> Vec<String> {
        let current = self.current.map(|waiting| waiting.action);
        current.into_iter().chain(self.left).map(|action| format!("{:?}", action.when)).collect()
    }
}

/// Returns when the condition of an action became true.
fn true_since(
    waiting: &Waiting<'_>,
    tool: &Tool,
    peers: &BTreeMap<String, Peer>,
    json: bool,
) -> Option<Instant> {
    let now = Instant::now();
    let event = |name: &str| {
        let wanted = format!("{{\"event\":\"{name}\"");
        let lines = tool.stdout.lines();
        lines.into_iter().find(|(line, _)| line.replace(' ', "").starts_with(&wanted)).and_then(|(_, at)| at)
    };
    match &waiting.action.when {
        When::Start => Some(tool.started),
        When::Prompt if json => event("prompt"),
        When::Prompt => tool.stderr.lines().first().and_then(|(_, at)| *at),
        When::Event(name) => event(name),
        When::Requests { .. } => waiting.arrived.as_ref().and_then(|arrived| arrived.try_recv().ok()),
        When::Peer(name) => peers.get(name).filter(|peer| !peer.seen().is_empty()).map(|_| now),
        When::Then => Some(now),
    }
}

fn watch_requests(control: &Control, id: &str, endpoint: &str, count: u32) -> mpsc::Receiver<Instant> {
    let (sender, receiver) = mpsc::channel();
    let (control, id, endpoint) = (control.clone(), id.to_owned(), endpoint.to_owned());
    // The thread ends with its request: within a minute, or when the virtual server is deleted.
    thread::spawn(move || {
        if let Ok(true) = control.wait_for(&id, &endpoint, count) {
            let _ = sender.send(Instant::now());
        }
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn case(more: Value) -> Case {
        let mut value = json!({"id": "a", "proves": ["X"], "about": "", "expect": {"exit": 0}});
        value.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value(value).unwrap()
    }

    fn command_line(more: Value, tls: bool) -> String {
        let mut values = Values::default();
        values.set("url", "http://h");
        values.set("ca_file", "/ca");
        arguments(&case(more), tls, &values).join(" ")
    }

    #[test]
    fn generated_arguments_can_be_replaced() {
        assert_eq!(
            command_line(json!({"login": "authkit"}), false),
            "login --client-id client_cli --provider authkit --api-base http://h --insecure-loopback --json"
        );
        let more = json!({"login": "connect", "json": false, "args": ["--client-id", "x", "--scope", "a"]});
        assert_eq!(
            command_line(more, true),
            "login --provider connect --domain http://h --ca-file /ca --client-id x --scope a"
        );
        assert_eq!(
            command_line(json!({"login": "custom", "args": ["login", "{url}"]}), true),
            "login http://h"
        );
    }

    #[test]
    fn a_case_overrides_the_server_settings() {
        let own = case(json!({"server": {"interval": 5, "script": {"token": ["{x}"]}}})).server;
        let mut values = Values::default();
        values.set("x", "y");
        let settings = Value::Object(settings(&own, &values));
        assert_eq!(settings, json!({"interval": 5, "answer": "approve", "script": {"token": ["y"]}}));
    }

    #[test]
    fn the_environment_is_cleared_before_a_case_sets_its_own() {
        let folder = TempDir::new().unwrap();
        let browsers = FakeBrowsers::make(folder.path()).unwrap();
        let case = case(json!({"env": {"DISPLAY": ":0", "TERM": null}}));
        let env: BTreeMap<_, _> = environment(&case, &browsers, &Values::default()).into_iter().collect();
        assert_eq!(env["DISPLAY"], Some(":0".to_owned()));
        assert_eq!((&env["TERM"], &env["CI"]), (&None, &None));
        assert!(env["PATH"].as_ref().unwrap().starts_with(folder.path().to_str().unwrap()));
    }
}
