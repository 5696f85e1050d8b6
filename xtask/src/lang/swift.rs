//! Swift: the package that contains the library, the example tool built with it, and the tests.

mod check;
mod consumer;
mod example;
mod generated;
mod package;
mod tests;
mod toolchain;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use super::Parts;
use crate::guide::{Code, Guide};
use crate::process;
use crate::report::Report;
use crate::setup::Need;
use crate::workspace::Workspace;
use toolchain::Toolchain;

pub(super) const PARTS: Parts = Parts {
    name: "swift",
    needs: &[
        Need { program: "gcc", package: "gcc" },
        Need { program: "objcopy", package: "binutils" },
        toolchain::NEED,
    ],
    tools: &[toolchain::SWIFT],
    build_example: |workspace, _, run| example::build(workspace, run),
    words: |workspace, _| example::words(workspace),
    package: |workspace, run| Ok(vec![package::build(workspace, run)?]),
    check: check::check,
    test,
};

const LIMIT: Duration = Duration::from_secs(10 * 60);

/// The directory of all build results for Swift.
fn home(workspace: &Workspace) -> PathBuf {
    workspace.target.join("swift")
}

/// The directory in which SwiftPM builds.
fn builds(workspace: &Workspace) -> PathBuf {
    home(workspace).join("build")
}

/// The directory of the package's sources.
fn sources(workspace: &Workspace) -> PathBuf {
    workspace.root.join("bindings").join("swift")
}

fn test(workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
    let toolchain = toolchain::of(workspace)?;
    package::test(workspace, report)?;
    check::packed(workspace, &toolchain, report)?;
    tests::run(workspace, &toolchain, report)?;
    consumer::test(workspace, &toolchain, report)?;
    Guide {
        language: "swift",
        documents: &["docs/swift.md", "README.md"],
        program_has: r#"Client.authKit(clientID: "client_123""#,
        client: (
            r#"Client.authKit(clientID: "client_123", options: .init(product: "my-cli/1.0"))"#,
            r#"Client.authKit(clientID: "client_123", apiBase: CommandLine.arguments[1], options: .init(product: "my-cli/1.0", allowInsecureLoopback: true))"#,
        ),
        located: |document, block| {
            format!("\n#sourceLocation(file: {document:?}, line: {})\n{}#sourceLocation()\n", block.line, block.code)
        },
        functions_print: &["all of the guide ran", "You denied the request.", "  Acme", "Not logged in: no network.", "****"],
        run: &|code, url| run_guide(workspace, &toolchain, code, url),
    }
    .test(workspace, report)
}

/// Options for a release build of a program: small, with Swift's libraries linked statically.
const RELEASE: [&str; 5] = ["--configuration", "release", "--static-swift-stdlib", "-Xlinker", "-s"];
/// Options for Swift 6 mode with warnings as errors.
const STRICTLY: [&str; 6] =
    ["-Xswiftc", "-swift-version", "-Xswiftc", "6", "-Xswiftc", "-warnings-as-errors"];

fn run_guide(workspace: &Workspace, toolchain: &Toolchain, code: Code, url: &str) -> anyhow::Result<String> {
    let folder = package::user(workspace, "bindings/swift/tests/guide", "guide")?;
    let sources = folder.join("Sources").join("guide");
    match code {
        Code::Program(code) => fs::write(sources.join("main.swift"), code)?,
        // Compiled together with the caller in that directory.
        Code::Functions(functions) => {
            let code = format!("import CLIAuth\nimport Foundation\n{functions}");
            fs::write(sources.join("Functions.swift"), code)?;
        }
    }
    let scratch = builds(workspace).join("guide");
    let mut run = toolchain.swift(workspace, "run", &folder, &scratch, &[]);
    run.args(STRICTLY).args(["guide", url]);
    process::output(run, LIMIT)
}
