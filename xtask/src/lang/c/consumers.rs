//! Programs as other people build them, each from installed files alone: the unpacked archive at a place of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};

use super::package;
use crate::authserver::{Answer, Server};
use crate::process;
use crate::report::{Counts, Outcome, Report};
use crate::workspace::{Profile, Workspace, forget_this_crate};

const BUILD: Duration = Duration::from_secs(5 * 60);
/// One login: an interval of the server, and its guard.
const LOGIN: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(20);

/// The programs, and which Makefile or CMake project makes them.
const CMAKE: &[&str] = &["login-cli-auth", "login-static"];
const PKG_CONFIG: &[&str] = &["login-c", "login-c++", "login-static", "login-fully-static"];
const MAKE: &[&str] = &["login"];

pub(super) fn test(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let user = User::new(workspace)?;
    report.part("CMake consumer", |_| user.cmake().map(|()| Outcome::Passed))?;
    report.part("pkg-config consumers, C and C++", |_| user.make("pkg-config").map(|()| Outcome::Passed))?;
    report.part("plain Makefile consumer", |_| user.make("make").map(|()| Outcome::Passed))?;
    report.part("static, beside another Rust library", |_| user.two_rust().map(|()| Outcome::Passed))?;
    report.part("logins of the consumers", |_| user.log_in())?;
    report.part("install c", |_| user.install())
}

/// Somebody who has unpacked the archive, and has sources of theirs elsewhere.
struct User<'w> {
    workspace: &'w Workspace,
    prefix: PathBuf,
    sources: PathBuf,
}

impl<'w> User<'w> {
    fn new(workspace: &'w Workspace) -> anyhow::Result<Self> {
        let home = super::home(workspace).join("user");
        let (prefix, sources) = (home.join("unpacked"), home.join("sources"));
        package::unpack(workspace, &package::path(workspace), &prefix)?;
        if sources.exists() {
            fs::remove_dir_all(&sources)?;
        }
        copy(&super::sources(workspace).join("tests").join("consumers"), &sources)?;
        Ok(Self { workspace, prefix, sources })
    }

    /// `program`, which finds the package in the prefix and nowhere else.
    fn command(&self, program: &str) -> Command {
        let mut command = self.workspace.command(program);
        command.env("PKG_CONFIG_PATH", self.prefix.join("lib").join("pkgconfig"));
        for name in ["LD_LIBRARY_PATH", "LIBRARY_PATH", "CPATH", "C_INCLUDE_PATH", "CFLAGS", "LDFLAGS"] {
            command.env_remove(name);
        }
        command
    }

    fn cmake(&self) -> anyhow::Result<()> {
        let (project, build) = (self.sources.join("cmake"), self.sources.join("cmake").join("build"));
        let mut configure = self.command("cmake");
        configure.arg("-S").arg(project).arg("-B").arg(&build).arg("-Wdev").arg("-Werror=dev");
        let mut prefix = std::ffi::OsString::from("-DCMAKE_PREFIX_PATH=");
        prefix.push(&self.prefix);
        configure.arg(prefix);
        process::succeed(configure, BUILD)?;
        let mut make = self.command("cmake");
        make.arg("--build").arg(build);
        process::succeed(make, BUILD)
    }

    fn make(&self, folder: &str) -> anyhow::Result<()> {
        let mut prefix = std::ffi::OsString::from("PREFIX=");
        prefix.push(&self.prefix);
        let mut make = self.command("make");
        make.arg("--directory").arg(self.sources.join(folder)).arg(prefix);
        process::succeed(make, BUILD)
    }

    fn two_rust(&self) -> anyhow::Result<()> {
        let folder = self.sources.join("two-rust");
        let mut make = self.command("make");
        // The compiler that cargo has chosen here.
        make.arg("--directory").arg(&folder).arg("RUSTC=rustc").env_remove("RUSTFLAGS");
        process::succeed(make, BUILD)?;
        for program in ["first", "last"] {
            process::succeed(self.command(&folder.join(program).to_string_lossy()), LOGIN)?;
        }
        Ok(())
    }

    /// Every program logs in, all at once, since most of the time goes by in waiting.
    fn log_in(&self) -> anyhow::Result<Outcome> {
        let server = Server::start(self.workspace, Some(Answer::Approve))?;
        let cmake = CMAKE.iter().map(|name| self.sources.join("cmake").join("build").join(name));
        let others = [("pkg-config", PKG_CONFIG), ("make", MAKE)];
        let others = others.iter().flat_map(|(folder, names)| names.iter().map(move |name| (folder, name)));
        let others = others.map(|(folder, name)| self.sources.join(folder).join(name));
        let programs: Vec<_> = cmake.chain(others).collect();
        let mut running = Vec::new();
        for program in &programs {
            let mut command = self.command(&program.to_string_lossy());
            command.arg(&server.url).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
            running.push(Running(command.spawn().with_context(|| format!("no {}", program.display()))?));
        }
        let (mut counts, mut faults) = (Counts::default(), Vec::new());
        for (program, running) in programs.iter().zip(running) {
            match running.told().and_then(|said| wanted(&said)) {
                Ok(()) => counts.add(Counts::PASSED),
                Err(error) => {
                    counts.add(Counts::FAILED);
                    faults.push(format!("{}: {error:#}", self.workspace.short(program)));
                }
            }
        }
        Ok(Outcome::Counted(counts, faults.join("\n")))
    }

    /// The command itself: its refusals, and that it installs what the archive has.
    fn install(&self) -> anyhow::Result<Outcome> {
        let stage = self.sources.join("stage");
        let mut faults = Vec::new();
        for (words, says) in [
            (&[][..], "--prefix"),
            (&["--prefix"], "--prefix"),
            (&["--prefix", "usr", "--destdir", "/tmp"], "absolute"),
            (&["--prefix", "/usr", "--libdir", "/usr/lib64"], "goes on from the prefix"),
            (&["--prefix", "/dev/null/x"], "cannot make /dev/null/x"),
        ] {
            let finished = process::run(self.xtask(words), LOGIN, |_| ())?;
            if finished.success || !finished.tail.contains(says) {
                faults.push(format!("install c {words:?} does not say {says:?}: {}", finished.tail));
            }
        }
        let mut install = self.xtask(&["--prefix", "/usr/local"]);
        install.env("DESTDIR", &stage);
        process::succeed(install, BUILD.saturating_mul(4))?;
        let (installed, unpacked) = (files(&stage.join("usr/local"), "")?, files(&self.prefix, "")?);
        if installed != unpacked {
            faults.push(format!("it installs {installed:?}, and the archive has {unpacked:?}"));
        }
        let again = self.xtask(&["--prefix", "/usr/local", "--destdir", &stage.to_string_lossy()]);
        process::succeed(again, BUILD)?;
        let elsewhere = self.sources.join("debian");
        let libdir = "lib/x86_64-linux-gnu";
        process::succeed(self.xtask(&["--prefix", &elsewhere.to_string_lossy(), "--libdir", libdir]), BUILD)?;
        if files(&stage.join("usr/local"), "")? != installed {
            faults.push("installed over itself it leaves something".to_owned());
        }
        // What it links runs here: with the same program, by its own pkg-config file.
        let program = self.sources.join("installed");
        let mut compile = self.command("sh");
        compile.arg("-c").arg(concat!(
            "exec cc -Wall -Wextra -Werror $(pkg-config --cflags cli-auth) -o \"$1\" \"$2\" ",
            "$(pkg-config --libs cli-auth) -Wl,-rpath,$(pkg-config --variable=libdir cli-auth)"
        ));
        compile.arg("sh").arg(&program).arg(self.sources.join("login.c"));
        compile.env("PKG_CONFIG_PATH", elsewhere.join(libdir).join("pkgconfig"));
        process::succeed(compile, BUILD)?;
        process::succeed(self.command(&program.to_string_lossy()), LOGIN)?;
        Ok(if faults.is_empty() { Outcome::Passed } else { Outcome::Failed(faults.join("\n")) })
    }

    /// `cargo xtask install c ...`. Not this very program, whose file a build may have replaced.
    fn xtask(&self, words: &[&str]) -> Command {
        let mut command = self.workspace.command(self.workspace.binary(Profile::Debug, "xtask"));
        forget_this_crate(&mut command);
        command.env("CARGO_MANIFEST_DIR", self.workspace.root.join("xtask"));
        command.env("CARGO_TARGET_DIR", &self.workspace.target).env_remove("DESTDIR");
        command.args(["install", "c"]).args(words);
        command
    }
}

/// Whether a consumer did what it is for.
fn wanted(said: &str) -> anyhow::Result<()> {
    for start in [concat!("version: ", env!("CARGO_PKG_VERSION")), "refused: ", "authorized: Bearer"] {
        ensure!(said.lines().any(|line| line.starts_with(start)), "it does not say {start:?} but {said:?}");
    }
    Ok(())
}

/// A program that does not outlive this value.
struct Running(Child);

impl Running {
    /// What it printed, which is little.
    fn told(mut self) -> anyhow::Result<String> {
        let began = Instant::now();
        let status = loop {
            if let Some(status) = self.0.try_wait()? {
                break status;
            }
            ensure!(began.elapsed() < LOGIN, "it takes longer than {} s", LOGIN.as_secs());
            ensure!(crate::signals::received().is_none(), "interrupted");
            std::thread::sleep(LOOK);
        };
        let said = std::io::read_to_string(self.0.stdout.take().context("its output is piped")?)?;
        ensure!(status.success(), "it ends with {status}: {said}");
        Ok(said)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Either fails where it has ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Names of all files and links below `folder`, sorted.
fn files(folder: &Path, before: &str) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).with_context(|| format!("no {}", folder.display()))? {
        let entry = entry?;
        let name = format!("{before}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            found.extend(files(&entry.path(), &format!("{name}/"))?);
        } else {
            found.push(name);
        }
    }
    found.sort();
    Ok(found)
}
