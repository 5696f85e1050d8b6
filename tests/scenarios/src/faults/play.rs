//! One run: a session, a fault, a command, and what came of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::case::{Case, Fate, Fault, Run, Session, Word};
use super::machine::{Machine, Programs};
use crate::command::{Done, secrets_of};
use crate::control::{Control, VirtualServer};
use crate::fill::Values;
use crate::pattern::mismatch;
use crate::tool::{End, Start, Tool};

/// The time limit for a command that ends in time otherwise.
const LIMIT: Duration = Duration::from_secs(40);

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
    let secrets =
        [before, after].into_iter().flatten().flat_map(|bytes| secrets_of(&bytes)).chain(log.secrets);
    if done.prints_a_secret(run.run.as_str(), &secrets.collect::<Vec<_>>()) {
        faults.push("a secret was printed".to_owned());
    }
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
        Done::wait_for(&mut tool, LIMIT)
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
    if let Some(why) = mismatch(&values.json(&run.last), &done.last()) {
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
