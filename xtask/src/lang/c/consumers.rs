//! Programs built as users would build them, from installed files only: the archive, unpacked to a separate directory.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{bail, ensure};

use super::package;
use crate::authserver::Server;
use crate::files;
use crate::process;
use crate::report::{Counts, Outcome, Report};
use crate::workspace::{Profile, Workspace, remove_cargo_run_variables};

const BUILD: Duration = Duration::from_secs(5 * 60);
/// Timeout for one login: an interval of the server and its guard.
const LOGIN: Duration = Duration::from_secs(60);

/// The programs that the Makefiles and the CMake project build.
const PROGRAMS: [&str; 7] = [
    "cmake/build/login-cli-auth",
    "cmake/build/login-static",
    "pkg-config/login-c",
    "pkg-config/login-c++",
    "pkg-config/login-static",
    "pkg-config/login-fully-static",
    "make/login",
];

pub(super) fn test(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let user = User::new(workspace)?;
    for (title, script) in [
        (
            "CMake consumer",
            "cmake -S cmake -B cmake/build -Wdev -Werror=dev \"-DCMAKE_PREFIX_PATH=$PREFIX\"; cmake --build cmake/build",
        ),
        ("pkg-config consumers, C and C++", "make -C pkg-config"),
        ("plain Makefile consumer", "make -C make \"PREFIX=$PREFIX\""),
        // Uses the compiler that cargo uses here.
        (
            "static, beside another Rust library",
            "make -C two-rust RUSTC=rustc; two-rust/first; two-rust/last",
        ),
    ] {
        report.part(title, |_| process::succeed(user.command("sh", &["-euc", script]), BUILD))?;
    }
    report.part("logins of the consumers", |_| user.log_in())?;
    report.part("install c", |_| user.install())
}

/// A user who has unpacked the archive and has sources in another directory.
struct User<'w> {
    workspace: &'w Workspace,
    prefix: PathBuf,
    sources: PathBuf,
}

impl<'w> User<'w> {
    fn new(workspace: &'w Workspace) -> anyhow::Result<Self> {
        let home = super::home(workspace).join("user");
        let (prefix, sources) = (home.join("unpacked"), files::empty(home.join("sources"))?);
        files::unpack(workspace, &files::packed(workspace, &package::name()), &prefix)?;
        files::copy(&super::sources(workspace).join("tests").join("consumers"), &sources, "build")?;
        Ok(Self { workspace, prefix, sources })
    }

    /// Returns `program` in the directory of the sources, in which pkg-config finds the package only in the prefix.
    fn command(&self, program: impl AsRef<OsStr>, words: &[&str]) -> Command {
        let mut command = self.workspace.command(program);
        command.args(words).current_dir(&self.sources).env("PREFIX", &self.prefix);
        command.env("PKG_CONFIG_PATH", self.prefix.join("lib").join("pkgconfig"));
        for name in
            ["LD_LIBRARY_PATH", "LIBRARY_PATH", "CPATH", "C_INCLUDE_PATH", "CFLAGS", "LDFLAGS", "RUSTFLAGS"]
        {
            command.env_remove(name);
        }
        command
    }

    /// Checks that every program logs in. They run in parallel because they mostly wait.
    fn log_in(&self) -> anyhow::Result<Outcome> {
        let server = Server::start(self.workspace, &["--approve"])?;
        let ends: Vec<_> = thread::scope(|scope| {
            let log_in = |program: &'static str| {
                let command = self.command(self.sources.join(program), &[&server.url]);
                scope.spawn(move || process::output(command, LOGIN).and_then(|said| wanted(&said)))
            };
            let running: Vec<_> = PROGRAMS.iter().map(|program| log_in(program)).collect();
            running
                .into_iter()
                .map(|run| run.join().unwrap_or_else(|_panic| bail!("a run panicked")))
                .collect()
        });
        let (mut counts, mut faults) = (Counts::default(), Vec::new());
        for (program, end) in PROGRAMS.iter().zip(ends) {
            counts.add(if end.is_ok() { Counts::PASSED } else { Counts::FAILED });
            faults.extend(end.err().map(|error| format!("{program}: {error:#}")));
        }
        Ok(Outcome::Counted(counts, faults.join("\n")))
    }

    /// Tests the command `install c`: its errors, and that it installs the content of the archive.
    fn install(&self) -> anyhow::Result<Outcome> {
        let stage = self.sources.join("stage");
        let mut faults = Vec::new();
        for (words, says) in [
            (&[][..], "--prefix"),
            (&["--prefix"], "--prefix"),
            (&["--prefix", "usr", "--destdir", "/tmp"], "absolute"),
            (&["--prefix", "/usr", "--libdir", "/usr/lib64"], "must be relative to the prefix"),
            (&["--prefix", "/dev/null/x"], "cannot create /dev/null/x"),
        ] {
            let finished = process::run(self.xtask(words), LOGIN, |_| ())?;
            if finished.success || !finished.tail.contains(says) {
                faults.push(format!("install c {words:?} does not report {says:?}: {}", finished.tail));
            }
        }
        let mut install = self.xtask(&["--prefix", "/usr/local"]);
        install.env("DESTDIR", &stage);
        process::succeed(install, BUILD.saturating_mul(4))?;
        let (installed, unpacked) = (names(&stage.join("usr/local"))?, names(&self.prefix)?);
        if installed != unpacked {
            faults.push(format!("install c installs {installed:?}, but the archive contains {unpacked:?}"));
        }
        let again = self.xtask(&["--prefix", "/usr/local", "--destdir", &stage.to_string_lossy()]);
        process::succeed(again, BUILD)?;
        let elsewhere = self.sources.join("debian");
        let libdir = "lib/x86_64-linux-gnu";
        process::succeed(self.xtask(&["--prefix", &elsewhere.to_string_lossy(), "--libdir", libdir]), BUILD)?;
        if names(&stage.join("usr/local"))? != installed {
            faults.push("a second installation over the first adds or removes files".to_owned());
        }
        // Checks that a program linked with its pkg-config file runs here.
        let mut compile = self.command("sh", &["-euc", concat!(
            "cc -Wall -Wextra -Werror $(pkg-config --cflags cli-auth) -o installed login.c ",
            "$(pkg-config --libs cli-auth) -Wl,-rpath,$(pkg-config --variable=libdir cli-auth); ./installed"
        )]);
        compile.env("PKG_CONFIG_PATH", elsewhere.join(libdir).join("pkgconfig"));
        process::succeed(compile, BUILD)?;
        Ok(Outcome::of_faults(&faults))
    }

    /// Returns `cargo xtask install c ...`. Not the running executable, whose file a build may have replaced.
    fn xtask(&self, words: &[&str]) -> Command {
        let mut command = self.workspace.command(self.workspace.binary(Profile::Debug, "xtask"));
        remove_cargo_run_variables(&mut command);
        command.env("CARGO_MANIFEST_DIR", self.workspace.root.join("xtask"));
        command.env("CARGO_TARGET_DIR", &self.workspace.target).env_remove("DESTDIR");
        command.args(["install", "c"]).args(words);
        command
    }
}

/// Checks the output of a consumer.
fn wanted(said: &str) -> anyhow::Result<()> {
    for start in [concat!("version: ", env!("CARGO_PKG_VERSION")), "refused: ", "authorized: Bearer"] {
        ensure!(said.lines().any(|line| line.starts_with(start)), "no line starts with {start:?}: {said:?}");
    }
    Ok(())
}

/// Returns the names of all files and links below `folder`, sorted.
fn names(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    files::below(folder)?.iter().map(|file| Ok(file.strip_prefix(folder)?.to_path_buf())).collect()
}
