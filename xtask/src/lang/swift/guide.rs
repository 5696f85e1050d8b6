//! The code of the Swift documents, compiled against the packed package and run.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::ensure;

use super::package;
use super::toolchain::Toolchain;
use crate::authserver::{Answer, Server};
use crate::guide::{self, Block};
use crate::process;
use crate::report::{Outcome, Report};
use crate::workspace::Workspace;

const GUIDE: &str = "docs/swift.md";
/// All of these have a whole program in them.
const DOCUMENTS: &[&str] = &[GUIDE, "README.md"];
/// What calls the functions of the guide.
const CALLER: &str = "bindings/swift/tests/guide/main.swift";
/// What the programs say of AuthKit goes to the test server.
const AUTHKIT: &str = r#"Client.authKit(clientID: "client_123", options: .init(product: "my-cli/1.0"))"#;
const AT_THE_TEST_SERVER: &str = r#"Client.authKit(clientID: "client_123", apiBase: CommandLine.arguments[1], options: .init(product: "my-cli/1.0", allowInsecureLoopback: true))"#;
const LIMIT: Duration = Duration::from_secs(10 * 60);

pub(super) fn test(workspace: &Workspace, toolchain: &Toolchain, report: &mut Report) -> anyhow::Result<()> {
    let server = Server::start(workspace, Some(Answer::Approve))?;
    let guide = Guide { workspace, toolchain, url: server.url.clone() };
    for document in DOCUMENTS {
        report.part(&format!("the program in {document}"), |_| guide.programs(document))?;
    }
    report.part(&format!("the functions in {GUIDE}"), |_| guide.functions())
}

struct Guide<'a> {
    workspace: &'a Workspace,
    toolchain: &'a Toolchain,
    url: String,
}

impl Guide<'_> {
    /// Each block with a client is a program that logs in.
    fn programs(&self, document: &str) -> anyhow::Result<Outcome> {
        let mut seen = 0;
        for block in guide::blocks(self.workspace, document, "swift")?.iter().filter(|it| is_program(it)) {
            seen += 1;
            ensure!(block.code.matches(AUTHKIT).count() == 1, "{document}, line {}: no client", block.line);
            let said = self.run(&[("main.swift", block.code.replace(AUTHKIT, AT_THE_TEST_SERVER))])?;
            ensure!(said.contains("Logged in as user_"), "{document}, line {}: it said\n{said}", block.line);
            ensure!(said.contains("Approve only if you started this login yourself"), "no prompt:\n{said}");
        }
        ensure!(seen > 0, "{document} has no program");
        Ok(Outcome::Passed)
    }

    /// The other blocks are functions; the caller calls each.
    fn functions(&self) -> anyhow::Result<Outcome> {
        let mut functions = "import CLIAuth\nimport Foundation\n".to_owned();
        for block in guide::blocks(self.workspace, GUIDE, "swift")?.iter().filter(|it| !is_program(it)) {
            let place = format!("#sourceLocation(file: {GUIDE:?}, line: {})", block.line);
            writeln!(functions, "\n{place}\n{}#sourceLocation()", block.code)?;
        }
        let caller = fs::read_to_string(self.workspace.root.join(CALLER))?;
        let said = self.run(&[("Functions.swift", functions), ("main.swift", caller)])?;
        for words in ["all of the guide ran", "You said no.", "  Acme", "Not logged in: no network.", "****"]
        {
            ensure!(said.contains(words), "not said: {words}\n{said}");
        }
        Ok(Outcome::Passed)
    }

    /// Makes a package of the files, and runs it; gives what it said.
    fn run(&self, files: &[(&str, String)]) -> anyhow::Result<String> {
        let folder = super::home(self.workspace).join("guide");
        let sources = package::empty(folder.join("Sources").join("guide"))?;
        fs::write(folder.join("Package.swift"), manifest(&package::packed(self.workspace)))?;
        for (name, code) in files {
            fs::write(sources.join(name), code)?;
        }
        let scratch = super::builds(self.workspace).join("guide");
        let mut run = self.toolchain.swift(self.workspace, "run", &folder, &scratch, &[]);
        for word in ["-swift-version", "6", "-warnings-as-errors"] {
            run.args([OsString::from("-Xswiftc"), word.into()]);
        }
        run.args(["guide", &self.url]);
        let mut said = String::new();
        let finished = process::run(run, LIMIT, |line| {
            said.push_str(line);
            said.push('\n');
        })?;
        ensure!(finished.success, "it failed and said\n{said}");
        Ok(said)
    }
}

fn manifest(packed: &PathBuf) -> String {
    format!(
        "// swift-tools-version: 5.9
import PackageDescription

let package = Package(
    name: \"guide\",
    platforms: [.macOS(.v13)],
    dependencies: [.package(path: {packed:?})],
    targets: [.executableTarget(name: \"guide\", dependencies: [\"CLIAuth\"])]
)
"
    )
}

fn is_program(block: &Block) -> bool {
    block.code.contains("Client.authKit(clientID: \"client_123\"")
}
