//! One round: a login, then processes that ask for a token at once.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::history::Life;
use super::plan::{Command, Flavor, Plan, Process, Signal};
use crate::case::SignalName;
use crate::control::{Control, ServerClock, VirtualServer};
use crate::tool::{End, Start, Tool};

/// The time that any command may take, without the time in which it is stopped: 25 s for the lock and 20 s for the
/// server, on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Polling interval while a process is silent.
const LOOK: Duration = Duration::from_millis(20);

/// One command that has ended. Times are on the server's clock.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) word: &'static str,
    /// The number of the process, which its requests carry.
    pub(crate) number: usize,
    pub(crate) end: End,
    pub(crate) life: Life,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// Whether the server accepts the printed token, and when it was asked.
    pub(crate) token: Option<(bool, f64)>,
}

/// Everything observed in a round.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) tokens: Vec<Outcome>,
    pub(crate) between: Vec<Outcome>,
    /// The calls after the round, until one said whether the session is there.
    pub(crate) checks: Vec<Outcome>,
    pub(crate) log: Value,
}

/// What the commands of a round have in common.
#[derive(Debug)]
struct Stage<'a> {
    tool: &'a str,
    plan: &'a Plan,
    server: &'a VirtualServer,
    clock: ServerClock,
    folder: &'a TempDir,
    agent: ureq::Agent,
}

pub(crate) fn play(plan: &Plan, tool: &str, control: &Control) -> Result<Seen, String> {
    let folder = TempDir::new().map_err(|error| error.to_string())?;
    let server = control.create(&settings(plan))?;
    let agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .timeout_global(Some(LIMIT))
        .build()
        .new_agent();
    let clock = control.clock()?;
    let stage = Stage { tool, plan, server: &server, clock, folder: &folder, agent };
    let played = stage.play();
    // The server notices the end of a connection a moment later than the tool.
    thread::sleep(Duration::from_millis(30));
    let log = control.log(&server.id);
    control.delete(&server.id)?;
    let (tokens, between, checks) = played?;
    Ok(Seen { tokens, between, checks, log: log?.1 })
}

fn settings(plan: &Plan) -> Map<String, Value> {
    let steps: Vec<Value> = plan.steps.iter().map(|step| step.script()).collect();
    let settings = json!({
        "interval": 1,
        "answer": "approve",
        "alg": "es256",
        "access_token_expires_in": plan.lifetime,
        "refresh_grace": plan.flavor.grace(),
        "script": {"refresh": steps},
    });
    settings.as_object().cloned().unwrap_or_default()
}

type Played = (Vec<Outcome>, Vec<Outcome>, Vec<Outcome>);

impl Stage<'_> {
    fn play(&self) -> Result<Played, String> {
        let login = self.command(Command::Login, 0)?;
        if login.end != End::Status(0) {
            return Err(format!("the login failed: {:?} {}{}", login.end, login.stdout, login.stderr));
        }
        let start = Instant::now() + self.plan.begins;
        let (tokens, between) = thread::scope(|scope| {
            let processes: Vec<_> = (1..)
                .zip(&self.plan.processes)
                .map(|(number, process)| scope.spawn(move || self.process(number, process, start)))
                .collect();
            let first = self.plan.processes.len() + 1;
            let between = scope.spawn(move || {
                let commands = (first..).zip(&self.plan.between);
                let run = |(number, (at, command)): (usize, &(Duration, Command))| {
                    sleep_until(start + *at);
                    self.command(*command, number)
                };
                commands.map(run).collect::<Result<Vec<_>, _>>()
            });
            let tokens: Result<Vec<_>, String> = processes.into_iter().map(joined).collect();
            (tokens, joined(between))
        });
        let checks = self.check(self.plan.processes.len() + 10)?;
        Ok((tokens?, between?, checks))
    }

    fn process(&self, number: usize, process: &Process, start: Instant) -> Result<Outcome, String> {
        sleep_until(start + process.starts);
        let min_validity = self.plan.min_validity.to_string();
        let mut outcome =
            self.run("token", number, &["--json", "--min-validity", &min_validity], &process.signals)?;
        outcome.token = self.validity(&outcome);
        Ok(outcome)
    }

    /// Asks for tokens until the server has decided. Each call refreshes: a proof that the session is there.
    fn check(&self, first: usize) -> Result<Vec<Outcome>, String> {
        let min_validity = (self.plan.lifetime + 100).to_string();
        let mut outcomes = Vec::new();
        // No script is longer.
        for number in first..first + 12 {
            let outcome = self.run("token", number, &["--json", "--min-validity", &min_validity], &[])?;
            let is_decided = outcome.end != End::Status(7);
            outcomes.push(outcome);
            if is_decided {
                break;
            }
        }
        Ok(outcomes)
    }

    fn command(&self, command: Command, number: usize) -> Result<Outcome, String> {
        match command {
            Command::Login => {
                let options = ["--json", "--no-browser", "--store", "file", "--scope", "offline_access"];
                self.run("login", number, &options, &[])
            }
            Command::Logout => self.run("logout", number, &["--json"], &[]),
        }
    }

    fn run(
        &self,
        word: &'static str,
        number: usize,
        options: &[&str],
        signals: &[(Duration, Signal)],
    ) -> Result<Outcome, String> {
        let args = self.arguments(word, number, options);
        let env = environment(self.folder);
        let start = Start { program: self.tool, args: &args, env: &env, columns: None };
        let mut tool = Tool::start(&start).map_err(|error| format!("{}: {error}", self.tool))?;
        let text = |error: io::Error| error.to_string();
        let mut life = Life { started: self.clock.at(tool.started), ..Life::default() };
        let mut signals = signals.iter();
        let mut next = signals.next();
        let (mut stopped, mut stopped_for) = (None, Duration::ZERO);
        let end = loop {
            let due = next.map(|(at, _)| (tool.started + *at).saturating_duration_since(Instant::now()));
            tool.read(due.unwrap_or(LOOK).min(LOOK));
            if let Some(end) = tool.ended().map_err(text)? {
                break end;
            }
            if stopped.is_none() && tool.started.elapsed() > LIMIT + stopped_for {
                tool.kill();
                break End::TimedOut;
            }
            let Some((_, signal)) = next.filter(|(at, _)| tool.started.elapsed() >= *at) else { continue };
            let now = Instant::now();
            match signal {
                Signal::Kill => {
                    tool.kill();
                    let end = tool.ended().map_err(text)?.unwrap_or(End::Signal(9));
                    // It may have ended by itself a moment before.
                    life.killed = (end == End::Signal(9)).then(|| self.clock.at(now));
                    break end;
                }
                Signal::Stop => {
                    tool.signal(SignalName::Stop).map_err(text)?;
                    stopped = Some(now);
                }
                Signal::Continue => {
                    tool.signal(SignalName::Cont).map_err(text)?;
                    if let Some(since) = stopped.take() {
                        stopped_for += now - since;
                        life.stops.push((self.clock.at(since), self.clock.at(now)));
                    }
                }
            }
            next = signals.next();
        };
        life.ended = self.clock.at(Instant::now());
        tool.read_rest();
        let (stdout, stderr) = (tool.stdout.text(), tool.stderr.text());
        Ok(Outcome { word, number, end, life, stdout, stderr, token: None })
    }

    fn arguments(&self, word: &str, number: usize, options: &[&str]) -> Vec<String> {
        let (provider, address) = match self.plan.flavor {
            Flavor::Connect => ("connect", "--domain"),
            Flavor::AuthKit => ("authkit", "--api-base"),
        };
        let header = format!("X-Process: {number}");
        let common = [word, "--provider", provider, address, &self.server.url, "--client-id", "client_cli"];
        let common = common.into_iter().chain(["--insecure-loopback", "--header", &header]);
        common.chain(options.iter().copied()).map(str::to_owned).collect()
    }

    /// Asks the server whether it accepts the token that was printed.
    fn validity(&self, outcome: &Outcome) -> Option<(bool, f64)> {
        if outcome.end != End::Status(0) {
            return None;
        }
        let printed: Value = serde_json::from_str(&outcome.stdout).ok()?;
        let token = printed.get("access_token")?.as_str()?;
        let request = self.agent.get(format!("{}/oauth2/userinfo", self.server.url));
        let response = request.header("authorization", format!("Bearer {token}")).call();
        let is_valid = response.is_ok_and(|response| response.status().is_success());
        Some((is_valid, self.clock.at(Instant::now())))
    }
}

/// Returns the variables of a tool that knows nothing of the user who runs the soak.
fn environment(folder: &TempDir) -> Vec<(String, Option<String>)> {
    let mut env: Vec<(String, Option<String>)> = std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| name != "PATH")
        .map(|name| (name, None))
        .collect();
    let home = folder.path().display().to_string();
    env.extend(
        ["HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"].map(|name| (name.to_owned(), Some(home.clone()))),
    );
    env
}

fn sleep_until(moment: Instant) {
    thread::sleep(moment.saturating_duration_since(Instant::now()));
}

fn joined<T>(thread: thread::ScopedJoinHandle<'_, Result<T, String>>) -> Result<T, String> {
    thread.join().unwrap_or_else(|_| Err("a thread of the soak has ended with a panic".to_owned()))
}
