//! Swift: the example tool, the floor with a static library, and a meter. All three are linked statically with Swift's
//! libraries.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use super::checkout::{Checkout, succeed, words_of};
use super::floor;
use super::subject::{Budgets, Cancel, Party, Size, Subject, Words, bytes};
use super::table::Budget;

const FLOOR: &str = "bench/floor/swift";
const METER: &str = "bench/meter/swift";
/// Runs programs in the root directory with Swift that set-up creates if the machine has no Swift.
const RUN_IN_ROOT: &str = "xtask/src/lang/swift/root.sh";

const CANCELS: &[Cancel] =
    &[Cancel { what: "cancel()", word: "cancel" }, Cancel { what: "the task's cancellation", word: "task" }];

pub(super) fn subject(checkout: &Checkout) -> anyhow::Result<Subject> {
    checkout.build_example("swift")?;
    let tool = tool(checkout)?;
    let archive = floor::libraries(checkout)?.archive;
    let floor = build(checkout, FLOOR, "floor", Some(&archive))?;
    let meter = build(checkout, METER, "meter", None)?;
    Ok(Subject {
        reader: None,
        short: None,
        floor: party(tool.words.with_last(floor))?,
        floor_hears: true,
        meter: tool.words.with_last(meter),
        cancels: CANCELS,
        crowds: &[1_000, 10_000],
        budgets: Budgets::NATIVE,
        tool,
    })
}

pub(super) fn tool(checkout: &Checkout) -> anyhow::Result<Party> {
    let words = checkout.example("swift")?;
    // If the toolchain's C library is newer than the machine's, a script starts the program with the toolchain's
    // loader.
    let start = PathBuf::from(words.last().context("the launcher executes no command")?);
    let is_script = fs::read(&start)?.starts_with(b"#!");
    party(if is_script { Words::new(words_of(&start)?) } else { words })
}

/// Builds a program like the example tool: small, and with static Swift libraries. `library` is the library to link if
/// the program does not use the package.
fn build(
    checkout: &Checkout,
    sources: &str,
    product: &str,
    library: Option<&Path>,
) -> anyhow::Result<PathBuf> {
    // The build of the example tool empties this directory if the package has changed, which SwiftPM would not notice.
    let scratch = checkout.target.join("swift").join("build").join(product);
    let mut variable = OsString::from("CLIAUTH_PACKAGE=");
    variable.push(checkout.target.join("swift").join("package").join("CLIAuth"));
    let mut swift = in_root(checkout);
    swift.current_dir(checkout.root.join(sources)).arg(variable);
    swift.args(["swift", "build", "--scratch-path"]).arg(&scratch);
    swift.args(["--configuration", "release", "--static-swift-stdlib", "-Xlinker", "-s"]);
    swift.args(["--product", product]);
    if let Some(library) = library {
        swift.arg("-Xlinker").arg(library);
    }
    let program = scratch.join("release").join(product);
    // SwiftPM does not check libraries for changes and would not link again.
    if program.exists() {
        fs::remove_file(&program)?;
    }
    succeed(swift)?;
    Ok(program)
}

/// Returns a command that takes `NAME=VALUE... PROGRAM [WORD]...`, in the root created by set-up if there is one.
fn in_root(checkout: &Checkout) -> Command {
    let root = checkout.target.join("tools").join("swift").join("root");
    if !root.exists() {
        return checkout.command("env");
    }
    let mut run = checkout.command("sh");
    run.arg(checkout.root.join(RUN_IN_ROOT)).arg("run").arg(root);
    run.args([checkout.root.as_os_str(), checkout.target.as_os_str(), OsStr::new("--")]);
    run
}

/// A program with the command line that starts it.
fn party(words: Words) -> anyhow::Result<Party> {
    let size = words.last().map_or(Ok(0.0), |program| bytes(program.as_ref()))?;
    Ok(Party { sizes: vec![Size::mb("program, stripped", size, Budget::Nothing)], words, import: None })
}
