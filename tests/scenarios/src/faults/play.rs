//! One run: a session, a fault, a command, and what came of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::case::{Case, Fate, Fault, Run, Session, Word};
use super::machine::{Machine, Programs};
use crate::control::{Control, VirtualServer};
use crate::fill::Values;
use crate::pattern::mismatch;
use crate::tool::{End, Start, Tool};

/// The time limit for a command that ends in time otherwise.
const LIMIT: Duration = Duration::from_secs(40);

/// The shortest text in a record that is a secret.
const SHORTEST_SECRET: usize = 16;

/// What a command did.
#[derive(Debug)]
struct Done {
    end: End,
    seconds: f64,
    stdout: String,
    stderr: String,
}

struct Stage<'a> {
    machine: &'a Machine,
    programs: &'a Programs,
    server: &'a VirtualServer,
}

/// Returns what was wrong, with the output of the command.
pub(crate) fn play(
    case: &Case,
    run: &Run,
    programs: &Programs,
    control: &Control,
) -> Result<Vec<String>, String> {
    let (lifetime, age) = run.session.times();
    let settings = json!({"interval": 1, "answer": "approve", "alg": "es256",
        "access_token_expires_in": lifetime, "refresh_grace": 0});
    let server = control.create(&settings.as_object().cloned().unwrap_or_default())?;
    let mut machine = Machine::new(case.fault)?;
    let server = &server;

    let record = Stage { machine: &machine, programs, server }.record()?;
    if run.session != Session::None {
        Stage { machine: &machine, programs, server }.expect(
            Word::Login,
            &["--no-browser", "--store", "file"],
            0,
        )?;
    }
    thread::sleep(Duration::from_secs_f64(age));
    let before = fs::read(&record).ok();
    let requests = control.log(&server.id)?.0.requests.len();
    machine.begin(&record)?;
    let store =
        [if run.run == Word::Login { &["--no-browser", "--store", &run.store][..] } else { &[] }, early(run)];
    let done = Stage { machine: &machine, programs, server }.call(run.run, &store.concat(), true)?;
    let (log, _) = control.log(&server.id)?;
    let after = fs::read(&record).ok();
    let connections = machine.bus_connections();
    machine.end()?;
    let wanted = if run.leaves_session() { 0 } else { 6 };
    let afterwards = Stage { machine: &machine, programs, server }.call(
        Word::Token,
        &["--min-validity", "1000"],
        false,
    )?;

    let mut faults =
        output_faults(run, &done, &Stage { machine: &machine, programs, server }.values(&record));
    let count = |endpoint: &str| {
        log.requests.iter().skip(requests).filter(|request| request.endpoint == endpoint).count()
    };
    for (endpoint, wanted) in [("refresh", run.sent), ("revoke", run.revoked)] {
        let seen = count(endpoint);
        if seen != wanted {
            faults.push(format!("{wanted} requests to {endpoint} expected, {seen} seen"));
        }
    }
    if let Some(wrong) = fate_fault(run.record(), before.as_deref(), after.as_deref()) {
        faults.push(wrong.to_owned());
    }
    if afterwards.end != End::Status(wanted) {
        faults.push(format!(
            "without the fault, token ended with {:?}: {}",
            afterwards.end,
            afterwards.stdout.trim()
        ));
    }
    if case.fault == Fault::MuteBus && (connections > 0) != run.asks_bus {
        faults.push(format!("{connections} connections to the session bus"));
    }
    let secrets = [before, after].into_iter().flatten().flat_map(|bytes| secrets(&bytes)).chain(log.secrets);
    faults.extend(printed_secret(run.run, &done, secrets.collect()));
    if matches!(case.fault, Fault::Umask000 | Fault::Umask077) {
        faults.extend(open_files(&machine.directory()));
    }
    control.delete(&server.id)?;
    if !faults.is_empty() {
        faults.push(format!("output: {} {}", done.stdout.trim(), done.stderr.trim()));
    }
    Ok(faults)
}

/// A token of which little is left is good enough for a run that is early.
fn early(run: &Run) -> &'static [&'static str] {
    match (run.run, run.session) {
        (Word::Token, Session::Early) => &["--min-validity", "0"],
        _ => &[],
    }
}

impl Stage<'_> {
    /// Asks the tool where the record is.
    fn record(&self) -> Result<PathBuf, String> {
        let done = self.expect(Word::Status, &[], 6)?;
        let status: Value = serde_json::from_str(&done.stdout).map_err(|error| error.to_string())?;
        status.get("path").and_then(Value::as_str).map(PathBuf::from).ok_or_else(|| "no path".to_owned())
    }

    fn values(&self, record: &Path) -> Values {
        let mut values = Values::default();
        values.set("record", record.display().to_string());
        values.set("directory", self.machine.directory().display().to_string());
        values.set("runtime", self.machine.runtime().display().to_string());
        values
    }

    fn expect(&self, word: Word, options: &[&str], status: i32) -> Result<Done, String> {
        let done = self.call(word, options, false)?;
        match done.end == End::Status(status) {
            true => Ok(done),
            false => {
                Err(format!("{} ended with {:?}: {}{}", word.as_str(), done.end, done.stdout, done.stderr))
            }
        }
    }

    fn call(&self, word: Word, options: &[&str], faulty: bool) -> Result<Done, String> {
        let mut words = if faulty { self.machine.prefix() } else { Vec::new() };
        words.push(self.programs.tool.clone());
        let endpoint = |path: &str| format!("{}/oauth2/{path}", self.server.url);
        let device = endpoint("device_authorization");
        let (token, revocation) = (endpoint("token"), endpoint("revoke"));
        let common = [word.as_str(), "--json", "--provider", "endpoints", "--device-endpoint", &device];
        let common =
            common.into_iter().chain(["--token-endpoint", &token, "--revocation-endpoint", &revocation]);
        let common = common.chain(["--client-id", "client_cli", "--insecure-loopback"]);
        let scope: &[&str] = if word == Word::Login { &["--scope", "offline_access"] } else { &[] };
        words.extend(common.chain(scope.iter().copied()).chain(options.iter().copied()).map(str::to_owned));
        let env = self.machine.variables(self.programs, faulty);
        let (program, args) = words.split_first().ok_or("no program")?;
        let mut tool = Tool::start(&Start { program, args, env: &env, columns: None })
            .map_err(|error| format!("{program}: {error}"))?;
        let end = loop {
            tool.read(Duration::from_millis(20));
            if let Some(end) = tool.ended().map_err(|error| error.to_string())? {
                break end;
            }
            if tool.started.elapsed() > LIMIT {
                tool.kill();
                break End::TimedOut;
            }
        };
        let seconds = (Instant::now() - tool.started).as_secs_f64();
        tool.read_rest();
        Ok(Done { end, seconds, stdout: tool.stdout.text(), stderr: tool.stderr.text() })
    }
}

fn output_faults(run: &Run, done: &Done, values: &Values) -> Vec<String> {
    let mut faults = Vec::new();
    if done.end != End::Status(run.exit) {
        faults.push(format!("exit status {} expected, {:?} seen", run.exit, done.end));
    }
    if done.seconds > run.within {
        faults.push(format!("ended after {:.1} s, not within {} s", done.seconds, run.within));
    }
    let last = done.stdout.lines().last().unwrap_or_default();
    let last: Value = serde_json::from_str(last).unwrap_or_default();
    if let Some(why) = mismatch(&values.json(&run.last), &last) {
        faults.push(format!("the last line: {why}"));
    }
    let everything = format!("{}{}", done.stdout, done.stderr);
    for text in run.says.iter().map(|text| values.text(text)).filter(|text| !everything.contains(text)) {
        faults.push(format!("{text:?} is not said"));
    }
    faults
}

fn fate_fault(fate: Fate, before: Option<&[u8]>, after: Option<&[u8]>) -> Option<&'static str> {
    match (fate, before, after) {
        (Fate::Same, Some(before), Some(after)) if before == after => None,
        (Fate::New, before, Some(after)) if before != Some(after) => None,
        (Fate::Gone, Some(_), None) | (Fate::Absent, None, None) => None,
        (Fate::Same, ..) => Some("the record has changed"),
        (Fate::New, ..) => Some("there is no new record"),
        (Fate::Gone | Fate::Absent, ..) => Some("the record is there"),
    }
}

/// Returns the texts in the second line of a record, which is not sealed.
fn secrets(record: &[u8]) -> Vec<String> {
    let line = record.split(|byte| *byte == b'\n').nth(1).unwrap_or_default();
    let mut found = Vec::new();
    collect(&serde_json::from_slice(line).unwrap_or_default(), &mut found);
    found
}

fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() >= SHORTEST_SECRET => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(members) => members.values().for_each(|member| collect(member, found)),
        _ => {}
    }
}

fn printed_secret(word: Word, done: &Done, secrets: Vec<String>) -> Option<String> {
    let printed: Value = serde_json::from_str(done.stdout.trim()).unwrap_or_default();
    let token = printed.get("access_token").and_then(Value::as_str).filter(|_| word == Word::Token);
    let is_printed = |secret: &String| {
        let is_token = token == Some(secret);
        done.stderr.contains(secret.as_str()) || (!is_token && done.stdout.contains(secret.as_str()))
    };
    secrets.iter().any(is_printed).then(|| "a secret was printed".to_owned())
}

/// Returns what other users can use in a directory, and itself.
fn open_files(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let all = entries.chain([directory.to_owned()]);
    let mode = |path: &Path| fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode() & 0o777);
    all.filter(|path| mode(path) & 0o077 != 0)
        .map(|path| format!("{} has the mode {:o}", path.display(), mode(&path)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(stdout: &str, stderr: &str) -> Done {
        Done { end: End::Status(0), seconds: 0.1, stdout: stdout.to_owned(), stderr: stderr.to_owned() }
    }

    #[test]
    fn the_secrets_of_a_record_are_in_its_second_line() {
        let record = b"{\"login_id\":\"0123456789abcdef0123\"}\n{\"a\":{\"b\":[\"secret-secret-secret\",\"short\"]}}\nx";
        assert_eq!(secrets(record), ["secret-secret-secret"]);
        assert_eq!(secrets(b"").len(), 0);
    }

    #[test]
    fn only_token_prints_a_secret_and_only_the_access_token() {
        let secrets = || vec!["an-access-token".to_owned(), "a-refresh-token".to_owned()];
        let token = done(r#"{"access_token":"an-access-token"}"#, "");
        assert_eq!(printed_secret(Word::Token, &token, secrets()), None);
        assert!(printed_secret(Word::Login, &token, secrets()).is_some());
        assert!(printed_secret(Word::Token, &done("a-refresh-token", ""), secrets()).is_some());
        assert!(printed_secret(Word::Token, &done("", "an-access-token"), secrets()).is_some());
    }

    #[test]
    fn the_fate_of_a_record_is_decided_by_its_bytes() {
        let (old, new) = (Some(&b"old"[..]), Some(&b"new"[..]));
        assert_eq!(fate_fault(Fate::Same, old, old), None);
        assert_eq!(fate_fault(Fate::New, old, new), None);
        assert_eq!(fate_fault(Fate::New, None, new), None);
        assert_eq!(fate_fault(Fate::Gone, old, None), None);
        for (fate, before, after) in [(Fate::Same, old, new), (Fate::New, old, old), (Fate::Gone, old, old)] {
            assert!(fate_fault(fate, before, after).is_some());
        }
        assert!(fate_fault(Fate::Absent, None, new).is_some());
    }
}
