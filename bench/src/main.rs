//! Compares the example tool and the library with a minimal program, the floor, in one run.
//!
//! `cargo xtask bench` runs this. Rounds are interleaved, so that changes in the machine's speed affect both alike, and
//! ratios are computed pair by pair. No time is asserted: the table shows which budgets were met and which were missed.

mod against;
mod c;
mod checkout;
mod floor;
mod golang;
mod keyring;
mod kotlin;
mod language;
mod launch;
mod load;
mod login;
mod peers;
mod program;
mod python;
mod rust;
mod samples;
mod server;
mod signals;
mod stop;
mod subject;
mod swift;
mod table;
mod token;

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{bail, ensure};
use lexopt::prelude::*;
use serde_json::{Value, json};

use checkout::Checkout;
use language::Language;
use program::Program;
use server::{Server, Virtual};
use subject::{Subject, Words};
use table::Row;

#[derive(Debug)]
struct Options {
    languages: Vec<&'static Language>,
    /// Measure other clients too.
    peers: bool,
    /// A checkout whose example tools are measured for comparison.
    against: Option<PathBuf>,
}

fn main() -> ExitCode {
    match options().map_err(anyhow::Error::from).and_then(|options| run(&options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // After an interrupt, no error message is needed.
            if let Some(status) = signals::status() {
                return ExitCode::from(status);
            }
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Parses the arguments, which xtask has checked: `[LANG...] [--peers] [--against PATH]`.
fn options() -> Result<Options, lexopt::Error> {
    let mut options = Options { languages: Vec::new(), peers: false, against: None };
    let mut words = lexopt::Parser::from_env();
    while let Some(word) = words.next()? {
        match word {
            Long("peers") => options.peers = true,
            Long("against") => options.against = Some(words.value()?.into()),
            Value(name) => {
                let found = language::ALL.iter().find(|language| name == language.name);
                options.languages.push(found.ok_or_else(|| format!("unknown language {name:?}"))?);
            }
            other => return Err(other.unexpected()),
        }
    }
    if options.languages.is_empty() {
        options.languages = language::ALL.iter().collect();
    }
    Ok(options)
}

fn run(options: &Options) -> anyhow::Result<()> {
    signals::watch()?;
    let checkout = Checkout::own()?;
    let other = options.against.as_deref().map(Checkout::at);
    println!("Building the measured programs and the server in release mode.");
    let ca_file = checkout.work("server")?.join("ca.pem");
    let server = Server::start(&checkout.build_server()?, ca_file)?;
    for &language in &options.languages {
        // First, because it must already be built, and a missing one is detected immediately.
        let other = other.as_ref().map(language.tool).transpose()?;
        let work = checkout.work(language.name)?;
        let bench = Bench { server: &server, subject: (language.subject)(&checkout)?, work };
        let peers = if options.peers { (language.peers)(&checkout, &server.ca_file)? } else { Vec::new() };
        println!(
            "\n== {}: median (least - most); ratio: median of the pairs (of the least){}",
            language.name,
            load_average()
        );
        let mut rows = Vec::new();
        for (what, measure) in MEASURES {
            println!("   measuring {what}");
            rows.extend(measure(&bench)?);
        }
        for &logins in bench.subject.crowds {
            println!("   measuring {logins} simultaneous logins");
            rows.extend(load::crowd(&bench, logins, &Value::Null)?);
        }
        print_table(&rows, "floor");
        for peer in &peers {
            print_table(&peers::measure(&bench, peer)?, peer.name);
        }
        if let Some(other) = &other {
            print_table(&against::measure(&bench, other)?, "other checkout");
        }
    }
    println!("\n{NOTES}");
    Ok(())
}

fn print_table(rows: &[Row], beside: &str) {
    println!();
    for line in table::lines(rows, beside) {
        println!("{line}");
    }
}

/// Describes the load of the machine at the start if known, because other load distorts times.
fn load_average() -> String {
    let known = fs::read_to_string("/proc/loadavg").ok();
    let first = known.as_deref().and_then(|text| text.split_whitespace().next());
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    first
        .map(|load| format!("; load average {load} on {processors} processors at the start"))
        .unwrap_or_default()
}

type Measure = fn(&Bench<'_>) -> anyhow::Result<Vec<Row>>;

const MEASURES: [(&str, Measure); 6] = [
    ("start, memory, sizes and Ctrl-C", |bench| {
        launch::measure(bench, &bench.subject.floor, &json!({}), &|at| bench.floor(at, 1, 5.0))
    }),
    ("Ctrl-C while a request is in flight", |bench| {
        let floor: Start<'_> = &|at| bench.floor(at, 1, 0.0);
        stop::interrupt_in_flight(bench, &json!({}), bench.subject.floor_hears.then_some(floor))
    }),
    ("cancel() from another thread", stop::cancel),
    ("whole logins with five polls", |bench| {
        login::measure(bench, &|at| bench.floor(at, login::POLLS, login::INTERVAL), 0.0)
    }),
    ("the cost of a poll", |bench| {
        let floor = |polls, pause| load::floor_polls(bench, polls, pause);
        Ok(vec![load::busy_polls(bench, &floor)?, load::paced_polls(bench, &floor)?])
    }),
    ("a stored token", |bench| token::measure(bench, bench.subject.reader.as_deref())),
];

const NOTES: &str = "\
Floor: bench/floor, a minimal login with blocking rustls and the same roots. For Python and Kotlin it is a shared
library and for Go and Swift a static one, with one function that the language calls as directly as possible.
Other checkout: its example tool, built earlier, with the same server in the same rounds.
Server: tests/authserver on this machine, sharing its processors.
Start: from before the process is created to its first line of output, over https, with the system's roots and one more.
Variables that set other roots or change Python are not passed on.
Memory: peak resident memory, at the code or at the end.
Cost of a poll: processor time, user and system, of a process in which one thread drives 8,000 or 400 logins in turn,
each polled at its interval, divided by the number of polls. The floor polls as often on its only connection.
Pace: from a response to the next request, by the server's log.
Gap in the crowd: from a response to the next response, measured by the client, which is never less than the pace.
Peers: used as documented, with their default roots and one more. MSAL reads the provider's metadata before it requests
a code because it accepts no endpoints.
Short program: only a login, as in the floor and the peers. The example tool also parses options, handles signals and
writes JSON.";

/// The context of a measure.
struct Bench<'s> {
    server: &'s Server,
    subject: Subject,
    /// A directory for files.
    work: PathBuf,
}

/// Starts a program for comparison.
type Start<'b> = &'b dyn Fn(&Virtual<'_>) -> anyhow::Result<Program>;

impl Bench<'_> {
    /// Starts the example tool, which logs in at `at`.
    fn tool(&self, at: &Virtual<'_>) -> anyhow::Result<Program> {
        self.example(&self.subject.tool.words, at)
    }

    /// Starts the example tool with the command line `words`, which logs in at `at`.
    fn example(&self, words: &Words, at: &Virtual<'_>) -> anyhow::Result<Program> {
        let mut command = words.command();
        command.args(["login", "--provider", "endpoints", "--client-id", "bench", "--json", "--no-browser"]);
        if self.subject.reader.is_some() {
            command.args(["--store", "none"]);
        }
        command.arg("--device-endpoint").arg(format!("{}/oauth2/device_authorization", at.url));
        command.arg("--token-endpoint").arg(format!("{}/oauth2/token", at.url));
        command.arg("--ca-file").arg(&self.server.ca_file);
        go(command)
    }

    /// Starts the short login program if there is one.
    fn short(&self, at: &Virtual<'_>) -> Option<anyhow::Result<Program>> {
        let mut command = self.subject.short.as_ref()?.command();
        command.arg(&at.url).arg(&self.server.ca_file);
        Some(go(command))
    }

    /// Starts the floor, which polls at most `polls` times with this many seconds between.
    fn floor(&self, at: &Virtual<'_>, polls: u32, seconds: f64) -> anyhow::Result<Program> {
        let mut command = self.subject.floor.words.command();
        command.arg(&at.url).arg(&self.server.ca_file).arg(polls.to_string()).arg(seconds.to_string());
        go(command)
    }

    /// Runs the meter, which measures the library from inside a program, and returns its result.
    fn meter(&self, at: &Virtual<'_>, words: &[&str], logins: u32) -> anyhow::Result<Value> {
        let mut command = self.subject.meter.command();
        command.args(words).arg("--logins").arg(logins.to_string());
        command.arg("--url").arg(&at.url).arg("--ca-file").arg(&self.server.ca_file);
        let said = go(command)?.finish(load::PATIENCE)?;
        ensure!(!said.is_empty(), "the meter printed nothing");
        Ok(serde_json::from_str(&said)?)
    }
}

/// Starts a measured program unless Ctrl-C was received.
fn go(mut command: Command) -> anyhow::Result<Program> {
    if signals::status().is_some() {
        bail!("interrupted");
    }
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(disturbs)) {
        command.env_remove(name);
    }
    Program::start(command)
}

/// Returns whether a variable sets other roots, changes Python, or adds cargo's directories to the library path.
fn disturbs(name: &str) -> bool {
    ["SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "LD_LIBRARY_PATH"]
        .contains(&name)
        || name.starts_with("PYTHON")
}
