//! The code of the C documents, compiled against the installed library and run.

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

const GUIDE: &str = "docs/c.md";
/// All of these have a whole program in them.
const DOCUMENTS: &[&str] = &[GUIDE, "README.md", "bindings/c/README.md"];
const STRICT: &[&str] =
    &["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"];
const LIMIT: Duration = Duration::from_secs(60);

/// `prefix` is where the library was installed.
pub(super) fn test(workspace: &Workspace, prefix: &Path, report: &mut Report) -> anyhow::Result<()> {
    let folder = workspace.target.join("c").join("guide");
    fs::create_dir_all(&folder)?;
    let server = Server::start(workspace, Some(Answer::Approve))?;
    let guide = Guide { workspace, prefix, folder, url: server.url.clone() };
    for document in DOCUMENTS {
        report.part(&format!("the program in {document}"), |_| guide.programs(document))?;
    }
    report.part(&format!("the functions in {GUIDE}"), |_| guide.functions())
}

struct Guide<'a> {
    workspace: &'a Workspace,
    prefix: &'a Path,
    folder: PathBuf,
    url: String,
}

impl Guide<'_> {
    /// Each block with a `main` is a program that logs in.
    fn programs(&self, document: &str) -> anyhow::Result<Outcome> {
        let mut seen = 0;
        for block in guide::blocks(self.workspace, document, "c")?.iter().filter(|it| is_program(it)) {
            seen += 1;
            let source = self.folder.join("program.c");
            fs::write(&source, located(document, block)?)?;
            let said = self.run(&self.compile(&source, &["-include", "redirect.h"])?)?;
            ensure!(said.contains("Logged in"), "{document}, line {}: it said\n{said}", block.line);
            ensure!(said.contains("Approve only if you started this login yourself"), "no prompt:\n{said}");
        }
        ensure!(seen > 0, "{document} has no program");
        Ok(Outcome::Passed)
    }

    /// The other blocks are functions; `tests/guide/main.c` calls each.
    fn functions(&self) -> anyhow::Result<Outcome> {
        let mut functions = String::new();
        for block in guide::blocks(self.workspace, GUIDE, "c")?.iter().filter(|it| !is_program(it)) {
            functions.push_str(&located(GUIDE, block)?);
        }
        fs::write(self.folder.join("functions.inc"), functions)?;
        let said = self.run(&self.compile(&self.sources().join("main.c"), &[])?)?;
        ensure!(said.contains("all of the guide ran"), "it said\n{said}");
        // One for the whole life and one by steps; the cancelled one has a prompt as well.
        ensure!(!said.contains("Not logged in"), "a login failed:\n{said}");
        Ok(Outcome::Passed)
    }

    fn sources(&self) -> PathBuf {
        self.workspace.root.join("bindings").join("c").join("tests").join("guide")
    }

    fn compile(&self, source: &Path, more: &[&str]) -> anyhow::Result<PathBuf> {
        let program = self.folder.join("program");
        let mut cc = self.workspace.command("cc");
        cc.args(STRICT).arg("-I").arg(self.prefix.join("include"));
        cc.arg("-I").arg(self.sources()).arg("-I").arg(&self.folder).args(more);
        cc.arg(source).arg("-o").arg(&program);
        cc.arg("-L").arg(self.prefix.join("lib")).arg("-lcli_auth");
        process::succeed(cc, LIMIT)?;
        Ok(program)
    }

    fn run(&self, program: &Path) -> anyhow::Result<String> {
        let mut command = Command::new(program);
        command.env("LD_LIBRARY_PATH", self.prefix.join("lib")).env("CLI_AUTH_TEST_SERVER", &self.url);
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
    block.code.contains("int main(")
}

/// With a note for the compiler, whose messages then name the document's lines.
fn located(document: &str, block: &Block) -> anyhow::Result<String> {
    let mut code = String::new();
    writeln!(code, "#line {} \"{document}\"\n{}", block.line, block.code)?;
    Ok(code)
}
