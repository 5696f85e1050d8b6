//! C programs that use the library in every way that its header allows, and in some that it forbids: plain, under
//! valgrind and with sanitizers. Also the example tool, which must not leak at any of its exits.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::bail;

use crate::authserver::Server;
use crate::examples::Run;
use crate::files;
use crate::process;
use crate::report::{Counts, Live, Outcome, Report, junit};
use crate::test::counted;
use crate::workspace::{Profile, Workspace};

const LIMIT: Duration = Duration::from_secs(20 * 60);
const INTERRUPTED: Duration = Duration::from_secs(60);

/// With these options, a finding ends the program.
const SANITIZERS: &str =
    "-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all";
/// Scenarios that together end with every exit status except those of signals, with and without JSON. Scenarios with a
/// time limit are omitted because valgrind is too slow.
const EXITS: &[&str] = &[
    "authkit-login",
    "login-without-json",
    "device-refused",
    "secret-variable-unset",
    "ca-file-unusable",
    "usage-",
    "denied-without-json",
    "server-says-expired",
    "step-up-without-json",
    "authkit-organization-selection",
];

/// The directory of the built test programs.
fn folder(workspace: &Workspace) -> PathBuf {
    super::home(workspace).join("programs")
}

/// The directory of their sources and of valgrind's suppressions.
fn tests(workspace: &Workspace) -> PathBuf {
    super::sources(workspace).join("tests")
}

/// Builds `examples/c` against the installed library, to `super::example(workspace)`.
pub(super) fn build_example(workspace: &Workspace, run: Run) -> anyhow::Result<()> {
    run(make_example(workspace, "example", "-O2")?)
}

/// Builds the example tool with its own Makefile, in a directory next to the installed library or below that.
fn make_example(workspace: &Workspace, name: &str, flags: &str) -> anyhow::Result<Command> {
    let folder = super::home(workspace).join(name);
    fs::create_dir_all(&folder)?;
    let ups = Path::new(name).components().map(|_| "../").collect::<String>();
    let mut make = workspace.command("make");
    // Always rebuilt, because the header may have changed and compiling takes only a second.
    make.args(["--silent", "--always-make", "--directory"]).arg(folder);
    make.arg("--file").arg(workspace.root.join("examples").join("c").join("Makefile"));
    make.arg(format!("CFLAGS={flags} -Wconversion -Wshadow -Werror"));
    // A relative path, so that tool and library can be moved together.
    make.arg(format!("LDFLAGS='-Wl,-rpath,$$ORIGIN/{ups}prefix/lib'"));
    make.env("PKG_CONFIG_PATH", super::prefix(workspace).join("lib").join("pkgconfig"));
    Ok(make)
}

pub(super) fn test(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let folder = folder(workspace);
    report.part("test programs in C", |_| {
        let mut configure = workspace.command("cmake");
        configure.arg("-S").arg(tests(workspace)).arg("-B").arg(&folder);
        configure.arg(format!("-DCMAKE_PREFIX_PATH={}", super::prefix(workspace).display()));
        process::succeed(configure, LIMIT)?;
        let mut build = workspace.command("cmake");
        build.arg("--build").arg(&folder).arg("--parallel");
        process::succeed(build, LIMIT)?;
        process::succeed(make_example(workspace, "programs/example-sanitized", SANITIZERS)?, LIMIT)?;
        Ok(Outcome::Ready)
    })?;
    // The parts that mostly wait run in parallel with those that use the processor.
    let series: [Series; 2] = [
        |workspace, report| {
            cases(workspace, report, "plain", 16)?;
            cases(workspace, report, "sanitized", 16)?;
            report.part("example tool, sanitizers", |live| {
                // A leak changes the exit status, which every case checks.
                let tool = self::folder(workspace).join("example-sanitized").join("login-example");
                counted(scenarios(workspace, &tool, "c-sanitized"), LIMIT, |line| live.line(line))
            })
        },
        |workspace, report| {
            let cores = thread::available_parallelism().map_or(2, usize::from);
            cases(workspace, report, "valgrind", cores * 3)?;
            report.part("example tool, valgrind", |live| under_valgrind(workspace, live))
        },
    ];
    report.side_by_side(&series, |series, report| series(workspace, report))
}

type Series = fn(&Workspace, &mut Report) -> anyhow::Result<()>;

/// Runs the cases with this label in a separate directory for CTest.
fn cases(workspace: &Workspace, report: &mut Report, label: &str, at_once: usize) -> anyhow::Result<()> {
    report.part(&format!("test programs, {label}"), |_| {
        let folder = files::empty(folder(workspace).join(label))?;
        let cases = folder.with_file_name("cases.cmake");
        fs::write(folder.join("CTestTestfile.cmake"), format!("include(\"{}\")\n", cases.display()))?;
        // `loading` uses the first server; the other cases create their own.
        let server = Server::start(workspace, &["--control", "--interval", "1", "--approve"])?;
        let reports = folder.join("reports");
        let mut ctest = workspace.command("ctest");
        ctest.arg("--test-dir").arg(&folder).args(["--output-on-failure", "--label-regex", label]);
        ctest.arg(format!("--parallel={at_once}")).arg("--output-junit").arg(reports.join("ctest.xml"));
        ctest.env("CLI_AUTH_CONTROL", &server.url);
        junit(ctest, LIMIT, &reports)
    })
}

fn scenarios(workspace: &Workspace, tool: &Path, name: &str) -> Command {
    let mut runner = workspace.command(workspace.binary(Profile::Debug, "scenarios"));
    runner.arg("--tool").arg(tool).args(["--tool-name", name]);
    runner.arg("--authserver").arg(workspace.binary(Profile::Debug, "authserver"));
    runner.arg("--logs").arg(workspace.target.join("scenarios").join(name));
    runner
}

fn under_valgrind(workspace: &Workspace, live: &mut Live<'_>) -> anyhow::Result<Outcome> {
    let logs = files::empty(folder(workspace).join("valgrind-logs"))?;
    let launcher = folder(workspace).join("login-under-valgrind");
    let (valgrind, tool) = (tests(workspace).join("under-valgrind.sh"), super::example(workspace));
    let words = format!("'{}' '--log-file={}/%p' '{}'", valgrind.display(), logs.display(), tool.display());
    fs::write(&launcher, format!("#!/bin/sh\nexec {words} \"$@\"\n"))?;
    fs::set_permissions(&launcher, fs::Permissions::from_mode(0o755))?;
    let mut runner = scenarios(workspace, &launcher, "c-valgrind");
    runner.args(["--jobs", "4"]);
    for id in EXITS {
        runner.args(["--filter", id]);
    }
    let Outcome::Counted(mut counts, mut why) = counted(runner, LIMIT, |line| live.line(line))? else {
        bail!("the scenarios ended without printing their counts");
    };
    let server = Server::start(workspace, &["--interval", "1"])?;
    let ends = thread::scope(|scope| {
        let end = |signal, status| interrupted(workspace, &launcher, &server, signal, status);
        let other = scope.spawn(move || end("INT", 130));
        [end("TERM", 143), other.join().unwrap_or_else(|_panic| bail!("a run panicked"))]
    });
    for end in ends {
        let said = end?;
        counts.add(if said.is_none() { Counts::PASSED } else { Counts::FAILED });
        why.extend(said);
    }
    let found = findings(&logs, counts.passed)?;
    Ok(if found.is_empty() {
        Outcome::Counted(counts, why)
    } else {
        Outcome::Failed(format!("{why}\n{found}"))
    })
}
/// Returns the output of the tool if a signal did not end it correctly.
fn interrupted(
    workspace: &Workspace,
    launcher: &Path,
    server: &Server,
    signal: &str,
    status: u8,
) -> anyhow::Result<Option<String>> {
    let mut tool = workspace.command("sh");
    // The delay lets valgrind start. The tool's last output shows whether that was enough.
    let script = format!("timeout --preserve-status --signal={signal} 8 \"$@\"; test $? -eq {status}");
    tool.arg("-c").arg(script).arg("sh").arg(launcher);
    tool.args(["--provider", "authkit", "--client-id", "client_test", "--insecure-loopback", "--json"]);
    tool.arg("--api-base").arg(&server.url);
    let finished = process::run(tool, INTERRUPTED, |_| ())?;
    let good = finished.success && finished.tail.contains(r#""kind":"cancelled""#);
    Ok((!good).then_some(finished.tail))
}

/// Returns the findings of valgrind that the exit status does not show.
fn findings(logs: &Path, runs: u64) -> anyhow::Result<String> {
    let (mut found, mut count) = (String::new(), 0_u64);
    for entry in fs::read_dir(logs)? {
        let log = fs::read_to_string(entry?.path())?;
        count += 1;
        if !is_clean(&log) {
            found.push_str(&log);
        }
    }
    if count < runs {
        found.push_str(&format!("only {count} logs for {runs} runs\n"));
    }
    Ok(found)
}

/// Returns whether a valgrind log has no finding. valgrind lists open descriptors at exit without treating them as
/// errors. Inherited descriptors are not leaks of the program.
fn is_clean(said: &str) -> bool {
    let mut lines =
        said.lines().map(|line| line.trim_start_matches(|c: char| c == '=' || c.is_ascii_digit()).trim());
    while let Some(line) = lines.next() {
        let inherited = line.starts_with("Open ") && lines.next() == Some("<inherited from parent>");
        if !(inherited || line.is_empty() || line.starts_with("FILE DESCRIPTORS: ")) {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inherited_descriptors_are_not_leaks() {
        let summary = "==1== FILE DESCRIPTORS: 5 open (3 std) at exit.\n";
        let inherited =
            "==1== Open file descriptor 10: /dev/null\n==1==    <inherited from parent>\n==1== \n";
        let own = "==1== Open AF_INET socket 4: 127.0.0.1:1 <-> 127.0.0.1:2\n==1==    at 0x4953011: socket\n";
        assert!(is_clean(""));
        assert!(is_clean(&format!("{summary}{inherited}{inherited}")));
        assert!(!is_clean(&format!("{summary}{inherited}{own}")));
        assert!(!is_clean("==1== Invalid read of size 1\n"));
        assert!(!is_clean("check.c:1: it does not hold\n"));
    }
}
