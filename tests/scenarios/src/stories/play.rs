//! Plays one story.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::home::Home;
use super::keyring::Keyring;
use super::story::{Fate, Finish, Provider, Run, Step, Story, When};
use crate::checks::contract;
use crate::command::{Done, SHORTEST_SECRET, secrets_of};
use crate::control::{Control, VirtualServer};
use crate::fill::Values;
use crate::log::Request;
use crate::members::Members;
use crate::pattern::mismatch;
use crate::tool::{End, Start, Tool};

/// The time limit for a command that ends in time otherwise.
const LIMIT: Duration = Duration::from_secs(60);

const LOOK: Duration = Duration::from_millis(10);

/// A command that was left running.
struct Left {
    tool: Tool,
    run: Run,
    /// The number of requests before it.
    before: usize,
    record: Option<Vec<u8>>,
}

struct Stage<'a> {
    story: &'a Story,
    program: &'a str,
    control: &'a Control,
    server: VirtualServer,
    home: Home,
    keyring: Option<Keyring>,
    values: Values,
    left: BTreeMap<String, Left>,
    /// Every token of a record.
    secrets: Vec<String>,
}

/// Returns what was wrong.
pub(crate) fn play(story: &Story, program: &str, control: &Control) -> Result<Vec<String>, String> {
    let mut settings = story.server.clone();
    for (name, value) in [("interval", Value::from(1)), ("answer", "approve".into()), ("alg", "es256".into())]
    {
        settings.entry(name).or_insert(value);
    }
    let server = control.create(&settings)?;
    let (home, mut values) = (Home::new()?, Values::default());
    values.set("url", server.url.clone());
    values.set("home", home.path("").display().to_string());
    values.set("directory", home.directory().display().to_string());
    let keyring = if story.keyring { Some(start_keyring(&home)?) } else { None };
    let mut stage = Stage {
        story,
        program,
        control,
        server,
        home,
        keyring,
        values,
        left: BTreeMap::new(),
        secrets: Vec::new(),
    };
    stage.find_record()?;
    let mut faults = Vec::new();
    for (number, step) in story.steps.iter().enumerate() {
        let wrong = stage.step(step)?;
        faults.extend(wrong.into_iter().map(|fault| format!("step {}: {fault}", number + 1)));
        if !faults.is_empty() {
            break;
        }
    }
    stage.left.values_mut().for_each(|left| left.tool.kill());
    control.delete(&stage.server.id)?;
    Ok(faults)
}

fn start_keyring(home: &Home) -> Result<Keyring, String> {
    Keyring::start(&home.path(""))?.ok_or_else(|| {
        "dbus-daemon and gnome-keyring-daemon are not installed: `cargo xtask setup rust`".to_owned()
    })
}

impl Stage<'_> {
    /// Asks the tool where the record is.
    fn find_record(&mut self) -> Result<(), String> {
        let run = serde_json::from_value(serde_json::json!({"run": "status", "exit": 6}));
        let mut tool = self.begin(&run.map_err(|error| error.to_string())?)?;
        let done = Done::wait_for(&mut tool, LIMIT)?;
        let status: Value = serde_json::from_str(&done.stdout).unwrap_or_default();
        let path = status.get("path").and_then(Value::as_str);
        let path = path.ok_or_else(|| format!("status says no path: {}{}", done.stdout, done.stderr))?;
        self.home.set_record(path.as_ref());
        self.values.set("record", path);
        Ok(())
    }

    fn step(&mut self, step: &Step) -> Result<Vec<String>, String> {
        match step {
            Step::Run(run) => self.run(run),
            Step::Finish(finish) => self.finish(finish),
            Step::Script { script } => {
                self.control.script(&self.server.id, &self.values.json(script)).map(|()| Vec::new())
            }
            Step::Answer { answer } => self.control.answer(&self.server.id, answer).map(|()| Vec::new()),
            Step::Listening { listening } => {
                self.control.listening(&self.server.id, *listening).map(|()| Vec::new())
            }
            Step::Saved { saved } => self.log_in_until_saved(saved).map(|()| Vec::new()),
            Step::Wait { wait } => {
                thread::sleep(Duration::from_secs_f64(*wait));
                Ok(Vec::new())
            }
            Step::File(step) => Ok(self.home.apply(step, &self.values)?.into_iter().collect()),
        }
    }

    fn run(&mut self, run: &Run) -> Result<Vec<String>, String> {
        let record = self.home.record();
        let before = self.requests()?.len();
        let mut tools: Vec<Tool> = (0..run.times).map(|_| self.begin(run)).collect::<Result<_, _>>()?;
        if let (Some(when), Some(tool)) = (&run.when, tools.first_mut()) {
            self.wait_for(when, before, tool)?;
        }
        if let Some(name) = &run.leave
            && let Some(tool) = tools.pop()
        {
            self.left.insert(name.clone(), Left { tool, run: run.clone(), before, record });
            return Ok(Vec::new());
        }
        let all: Vec<Done> =
            tools.iter_mut().map(|tool| Done::wait_for(tool, LIMIT)).collect::<Result<_, _>>()?;
        self.judge(run, &all, before, record)
    }

    fn log_in_until_saved(&self, store: &str) -> Result<(), String> {
        let run = serde_json::json!({"run": "login", "args": ["--store", store], "exit": 0});
        let run: Run = serde_json::from_value(run).map_err(|error| error.to_string())?;
        let began = Instant::now();
        loop {
            let done = Done::wait_for(&mut self.begin(&run)?, LIMIT)?;
            if done.last().get("saved").and_then(Value::as_str) == Some(store) {
                return Ok(());
            }
            if began.elapsed() > LIMIT {
                return Err(format!("the login was not saved: {} {}", done.stdout, done.stderr));
            }
            thread::sleep(LOOK);
        }
    }

    fn finish(&mut self, finish: &Finish) -> Result<Vec<String>, String> {
        let mut left = self.left.remove(&finish.finish).ok_or("no such command was left running")?;
        if let Some(signal) = finish.signal {
            left.tool.signal(signal).map_err(|error| error.to_string())?;
        }
        let done = Done::wait_for(&mut left.tool, LIMIT)?;
        self.judge(&left.run, &[done], left.before, left.record)
    }

    /// Waits for requests, then sends a signal.
    fn wait_for(&self, when: &When, before: usize, tool: &mut Tool) -> Result<(), String> {
        let began = Instant::now();
        loop {
            let requests = self.requests()?;
            let seen =
                requests.iter().skip(before).filter(|request| request.endpoint == when.endpoint).count();
            if seen >= when.count {
                break;
            }
            if began.elapsed() > LIMIT || tool.ended().map_err(|error| error.to_string())?.is_some() {
                tool.read_rest();
                return Err(format!(
                    "{seen} requests to {}: {} {}",
                    when.endpoint,
                    tool.stdout.text(),
                    tool.stderr.text()
                ));
            }
            tool.read(LOOK);
        }
        thread::sleep(Duration::from_secs_f64(when.wait));
        match when.signal {
            Some(signal) => tool.signal(signal).map_err(|error| error.to_string()),
            None => Ok(()),
        }
    }

    fn judge(
        &mut self,
        run: &Run,
        all: &[Done],
        before: usize,
        record: Option<Vec<u8>>,
    ) -> Result<Vec<String>, String> {
        let mut faults: Vec<String> = all.iter().flat_map(|done| self.output_faults(run, done)).collect();
        let requests = self.requests()?;
        let requests = requests.get(before..).unwrap_or_default();
        faults.extend(request_faults(run, requests, &self.values));
        let refreshed = all.iter().filter(|done| done.last().get("refreshed") == Some(&true.into())).count();
        if run.refreshed.is_some_and(|wanted| wanted != refreshed) {
            faults.push(format!("{refreshed} processes have refreshed"));
        }
        let after = self.home.record();
        let is_right = match run.record {
            None => true,
            Some(Fate::Same) => record == after,
            Some(Fate::New) => record != after && after.is_some(),
            Some(Fate::Absent) => after.is_none(),
        };
        if !is_right {
            faults.push(format!("the record is not {:?}", run.record).to_lowercase());
        }
        self.secrets.extend(secrets_of(&after.unwrap_or_default()));
        let (log, _) = self.control.log(&self.server.id)?;
        let secrets: Vec<String> = self
            .secrets
            .iter()
            .chain(&log.secrets)
            .filter(|one| one.len() >= SHORTEST_SECRET)
            .cloned()
            .collect();
        faults.extend(self.home.faults(&secrets));
        if all.iter().any(|done| done.prints_a_secret(&run.run, &secrets)) {
            faults.push("a secret was printed".to_owned());
        }
        if let (Some(name), Some(done)) = (&run.keep, all.first()) {
            let token = done.last().get("access_token").and_then(Value::as_str).map(str::to_owned);
            let token = token.unwrap_or_else(|| done.stdout.trim().to_owned());
            self.values.set(name, token);
        }
        if !faults.is_empty() {
            let shown = all.iter().map(|done| format!("{} {}", done.stdout.trim(), done.stderr.trim()));
            faults.push(format!("output: {}", shown.collect::<Vec<_>>().join(" | ")));
        }
        Ok(faults)
    }

    fn output_faults(&self, run: &Run, done: &Done) -> Vec<String> {
        let mut faults = Vec::new();
        let end = match done.end {
            End::Status(status) => Some(status),
            End::Signal(number) => Some(-number),
            End::TimedOut => None,
        };
        if end != Some(run.exit) {
            faults.push(format!("exit status {} expected, {:?} seen", run.exit, done.end));
        }
        if done.seconds > run.within || done.seconds < run.after {
            faults.push(format!("ended after {:.1} s", done.seconds));
        }
        if let Some(why) = run.last.as_ref().and_then(|last| mismatch(&self.values.json(last), &done.last()))
        {
            faults.push(format!("the last line: {why}"));
        }
        let lines = done.stdout.lines().filter(|_| run.json && run.exit != 2);
        let mut events = Vec::new();
        for line in lines {
            match Members::parse(line) {
                Ok(members) => {
                    faults.extend(contract::fault(&members).map(|fault| fault.to_string()));
                    events.push(members.text("event").unwrap_or_default().to_owned());
                }
                Err(error) => faults.push(format!("{line:?} is no JSON object: {error}")),
            }
        }
        events.retain(|event| event != "pending");
        if run.events.as_ref().is_some_and(|wanted| *wanted != events) {
            faults.push(format!("events: {}", events.join(", ")));
        }
        if run.stdout.as_ref().is_some_and(|text| self.values.text(text) != done.stdout) {
            faults.push(format!("standard output: {:?}", done.stdout));
        }
        let everything = format!("{}{}", done.stdout, done.stderr);
        for text in run.says.iter().map(|text| self.values.text(text)) {
            if !everything.contains(&text) {
                faults.push(format!("{text:?} is not said"));
            }
        }
        if run.quiet && !done.stderr.is_empty() {
            faults.push("standard error is not empty".to_owned());
        }
        faults
    }

    fn requests(&self) -> Result<Vec<Request>, String> {
        Ok(self.control.log(&self.server.id)?.0.requests)
    }

    fn begin(&self, run: &Run) -> Result<Tool, String> {
        let mut args = vec![run.run.clone()];
        let own = |option: &str| run.args.iter().any(|arg| arg == option);
        let mut add = |words: &[&str]| {
            if !words.first().is_some_and(|option| own(option)) {
                args.extend(words.iter().map(|word| self.values.text(word)));
            }
        };
        match self.story.provider {
            Provider::Endpoints => {
                add(&["--provider", "endpoints"]);
                add(&["--device-endpoint", "{url}/oauth2/device_authorization"]);
                add(&["--token-endpoint", "{url}/oauth2/token"]);
                add(&["--revocation-endpoint", "{url}/oauth2/revoke"]);
            }
            Provider::Authkit => {
                add(&["--provider", "authkit"]);
                add(&["--api-base", "{url}"]);
            }
            Provider::Connect => {
                add(&["--provider", "connect"]);
                add(&["--domain", "{url}"]);
            }
        }
        add(&["--client-id", "client_cli"]);
        add(&["--insecure-loopback"]);
        if run.json {
            add(&["--json"]);
        }
        if run.run == "login" {
            add(&["--no-browser"]);
            add(&["--store", "file"]);
            if self.story.provider != Provider::Authkit {
                add(&["--scope", "offline_access"]);
            }
        }
        args.extend(run.args.iter().map(|arg| self.values.text(arg)));
        let mut env = self.home.variables();
        let bus = self.keyring.as_ref().map(Keyring::address);
        env.push(("DBUS_SESSION_BUS_ADDRESS".to_owned(), bus));
        for (name, value) in &run.env {
            env.push((name.clone(), value.as_ref().map(|value| self.values.text(value))));
        }
        let start = Start { program: self.program, args: &args, env: &env, columns: None };
        Tool::start(&start).map_err(|error| format!("{}: {error}", self.program))
    }
}

fn request_faults(run: &Run, requests: &[Request], values: &Values) -> Vec<String> {
    let mut wanted: BTreeMap<&str, usize> = BTreeMap::from([("refresh", 0), ("revoke", 0)]);
    wanted.extend(run.requests.iter().map(|(endpoint, count)| (endpoint.as_str(), *count)));
    let mut faults = Vec::new();
    for (endpoint, count) in wanted {
        let seen = requests.iter().filter(|request| request.endpoint == endpoint).count();
        if seen != count {
            faults.push(format!("{count} requests to {endpoint} expected, {seen} seen"));
        }
    }
    for (endpoint, pattern) in &run.form {
        let last = requests.iter().rev().find(|request| request.endpoint == *endpoint);
        let form: serde_json::Map<String, Value> = last
            .and_then(|request| request.form.clone())
            .unwrap_or_default()
            .into_iter()
            .map(|(name, value)| (name, Value::String(value)))
            .collect();
        if let Some(why) = mismatch(&values.json(pattern), &Value::Object(form)) {
            faults.push(format!("the form to {endpoint}: {why}"));
        }
    }
    faults
}
