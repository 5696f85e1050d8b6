//! The code of the Go documents, compiled against the packed module and run.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::ensure;

use crate::authserver::{Answer, Server};
use crate::guide::{self, Block};
use crate::process;
use crate::report::{Outcome, Report};
use crate::workspace::Workspace;

const GUIDE: &str = "docs/go.md";
/// All of these have a whole program in them.
const DOCUMENTS: &[&str] = &[GUIDE, "README.md"];
/// What the functions of the guide need.
const IMPORTS: &str = r#"package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"time"

	"cliauth"
)
"#;
/// What the programs say of AuthKit goes to the test server.
const AUTHKIT: &str = r#"cliauth.New(cliauth.AuthKit("client_123")"#;
const AT_THE_TEST_SERVER: &str = r#"cliauth.New(cliauth.AuthKit("client_123"), cliauth.WithAPIBase(os.Getenv("CLI_AUTH_TEST_SERVER")), cliauth.WithInsecureLoopback(true)"#;
const LIMIT: Duration = Duration::from_secs(5 * 60);

/// `module` is where the packed module was unpacked; `go` makes a call of the go command.
pub(super) fn test(
    workspace: &Workspace,
    module: &Path,
    go: &dyn Fn() -> Command,
    report: &mut Report,
) -> anyhow::Result<()> {
    let server = Server::start(workspace, Some(Answer::Approve))?;
    let folder = workspace.target.join("go").join("guide");
    let guide = Guide { workspace, module, go, folder, url: server.url.clone() };
    for document in DOCUMENTS {
        report.part(&format!("the program in {document}"), |_| guide.programs(document))?;
    }
    report.part(&format!("the functions in {GUIDE}"), |_| guide.functions())
}

struct Guide<'a> {
    workspace: &'a Workspace,
    module: &'a Path,
    go: &'a dyn Fn() -> Command,
    folder: PathBuf,
    url: String,
}

impl Guide<'_> {
    /// Each block with a `main` is a program that logs in.
    fn programs(&self, document: &str) -> anyhow::Result<Outcome> {
        let mut seen = 0;
        for block in guide::blocks(self.workspace, document, "go")?.iter().filter(|it| is_program(it)) {
            seen += 1;
            ensure!(block.code.matches(AUTHKIT).count() == 1, "{document}, line {}: no client", block.line);
            let code = block.code.replace(AUTHKIT, AT_THE_TEST_SERVER);
            let said = self.run("program", &[("main.go", code)])?;
            ensure!(said.contains("Logged in as user_"), "{document}, line {}: it said\n{said}", block.line);
            ensure!(said.contains("Approve only if you started this login yourself"), "no prompt:\n{said}");
        }
        ensure!(seen > 0, "{document} has no program");
        Ok(Outcome::Passed)
    }

    /// The other blocks are functions; `testdata/guide/main.go` calls each.
    fn functions(&self) -> anyhow::Result<Outcome> {
        let mut functions = IMPORTS.to_owned();
        for block in guide::blocks(self.workspace, GUIDE, "go")?.iter().filter(|it| !is_program(it)) {
            writeln!(functions, "\n//line {GUIDE}:{}\n{}", block.line, block.code)?;
        }
        let caller = self.workspace.root.join("bindings/go/testdata/guide/main.go");
        let files = [("functions.go", functions), ("main.go", fs::read_to_string(caller)?)];
        let said = self.run("functions", &files)?;
        for words in ["all of the guide ran", "You said no.", "  Acme", "Not logged in: no network.", "****"]
        {
            ensure!(said.contains(words), "not said: {words}\n{said}");
        }
        Ok(Outcome::Passed)
    }

    /// Makes a module of the files, and runs it.
    fn run(&self, name: &str, files: &[(&str, String)]) -> anyhow::Result<String> {
        let folder = self.folder.join(name);
        fs::create_dir_all(&folder)?;
        let module = self.module.display();
        let go_mod =
            format!("module guide\n\ngo 1.24\n\nrequire cliauth v0.0.0\n\nreplace cliauth => {module}\n");
        fs::write(folder.join("go.mod"), go_mod)?;
        for (name, code) in files {
            fs::write(folder.join(name), code)?;
        }
        for words in [&["vet", "."][..], &["build", "-o", "program", "."]] {
            let mut go = (self.go)();
            go.args(words).current_dir(&folder);
            process::succeed(go, LIMIT)?;
        }
        let mut command = Command::new(folder.join("program"));
        command.env("CLI_AUTH_TEST_SERVER", &self.url);
        let mut said = String::new();
        let finished = process::run(command, LIMIT, |line| {
            said.push_str(line);
            said.push('\n');
        })?;
        ensure!(finished.success, "it failed and said\n{said}");
        Ok(said)
    }
}

fn is_program(block: &Block) -> bool {
    block.code.starts_with("package main")
}
