//! Uses the package as a user would: outside the source tree, with the commands of its README. Also checks the error
//! message in the source tree.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};

use super::toolchain::Toolchain;
use super::{package, sources};
use crate::authserver::logs_in;
use crate::examples::quietly;
use crate::files;
use crate::guide;
use crate::process;
use crate::report::Report;
use crate::workspace::Workspace;

const README: &str = "bindings/swift/README.md";
const LIMIT: Duration = Duration::from_secs(10 * 60);

pub(super) fn test(workspace: &Workspace, toolchain: &Toolchain, report: &mut Report) -> anyhow::Result<()> {
    report.part("the README, from an empty directory", |_| {
        let folder = files::empty(super::home(workspace).join("user").join("readme"))?;
        let archive = files::packed(workspace, &package::name());
        fs::copy(&archive, folder.join(archive.file_name().context("the archive has no file name")?))?;
        let manifest = only_block(workspace, "swift")?;
        fs::write(folder.join("Package.swift"), manifest)?;
        let program = folder.join("Sources").join("my-cli");
        fs::create_dir_all(&program)?;
        fs::copy(sources(workspace).join("tests/consumer/main.swift"), program.join("main.swift"))?;
        let lines = only_block(workspace, "sh")?;
        ensure!(lines.lines().count() == 3, "expected three lines:\n{lines}");
        // The third line starts the program. Here it also needs the URL of the test server.
        let lines = lines.trim_end().to_owned() + " \"$1\"";
        logs_in(workspace, |url| {
            let mut shell = toolchain.command(workspace, &folder, &[]);
            shell.args(["sh", "-eu", "-c", &lines, "sh", url]);
            shell
        })
    })?;
    report.part("a program with static Swift libraries", |_| {
        let folder = super::home(workspace).join("user").join("readme");
        let scratch = super::builds(workspace).join("readme");
        let mut build = toolchain.swift(workspace, "build", &folder, &scratch, &[]);
        build.args(super::RELEASE);
        quietly(build)?;
        let program = scratch.join("release").join("my-cli");
        needs_only_c(workspace, &program)?;
        let words = toolchain.outside().into_iter().chain([program]).collect::<Vec<_>>();
        logs_in(workspace, |url| {
            let mut login = Command::new("env");
            login.args(words).arg(url);
            login
        })
    })?;
    report.part("errors name what is missing", |_| {
        let scratch = super::builds(workspace).join("tree");
        let build = toolchain.swift(workspace, "build", &sources(workspace), &scratch, &[]);
        let finished = process::run(build, LIMIT, |_| ())?;
        ensure!(!finished.success, "the source tree was built unexpectedly");
        let told = "this is the source tree, without the generated module and the library";
        ensure!(finished.tail.contains(told), "the output lacks {told:?}\n{}", finished.tail);
        Ok(())
    })
}

fn only_block(workspace: &Workspace, language: &str) -> anyhow::Result<String> {
    let mut blocks = guide::blocks(workspace, README, language)?;
    ensure!(blocks.len() == 1, "{README} has {} {language} blocks", blocks.len());
    Ok(blocks.remove(0).code)
}

/// Checks that a program needs only libraries that every machine has.
fn needs_only_c(workspace: &Workspace, program: &Path) -> anyhow::Result<()> {
    let mut dump = workspace.command("objdump");
    dump.arg("-p").arg(program);
    let said = process::output(dump, LIMIT)?;
    let needed: Vec<_> =
        said.lines().filter_map(|line| line.trim().strip_prefix("NEEDED")).map(str::trim).collect();
    let of_the_system = ["libm.", "libstdc++.", "libgcc_s.", "libc.", "ld-linux"];
    let others: Vec<_> =
        needed.iter().filter(|name| !of_the_system.iter().any(|one| name.starts_with(one))).collect();
    ensure!(!needed.is_empty() && others.is_empty(), "the program needs {needed:?}");
    Ok(())
}
