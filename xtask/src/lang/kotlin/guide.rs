//! The code of the Kotlin and Java documents, as sources of the JUnit project.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::ensure;

use crate::guide::{self, Block, redirected};
use crate::workspace::Workspace;

/// Replacements that make the AuthKit clients in the documents use the test server.
const KOTLIN_CLIENT: (&str, &str) =
    (r#"Client.authKit("client_123") {"#, r#"Client.authKit("client_123") { atTheTestServer(this);"#);
const JAVA_CLIENT: (&str, &str) = (
    r#"Client.authKit("client_123", options -> {"#,
    r#"Client.authKit("client_123", options -> { guide.TestServerKt.atTheTestServer(options);"#,
);

/// The documents. Blocks that are not programs are functions, which `GuideTest` calls.
pub(super) fn write(workspace: &Workspace, project: &Path) -> anyhow::Result<()> {
    let kotlin = project.join("src/test/kotlin/guide");
    fs::create_dir_all(&kotlin)?;
    for (document, name) in [("docs/kotlin.md", "guideProgram"), ("README.md", "readmeProgram")] {
        let blocks = guide::blocks(workspace, document, "kotlin")?;
        let (programs, functions): (Vec<_>, Vec<_>) = blocks.iter().partition(|block| is_program(block));
        ensure!(programs.len() == 1, "{document} has {} programs in Kotlin", programs.len());
        for program in programs {
            // A package of its own, because every program has a `main`.
            let code = redirected(document, program, KOTLIN_CLIENT)?.code;
            fs::write(
                kotlin.join(format!("{name}.kt")),
                format!("package guide.{name}\n\nimport guide.atTheTestServer\n{code}"),
            )?;
        }
        if !functions.is_empty() {
            let mut code = KOTLIN_IMPORTS.to_owned();
            for block in functions {
                writeln!(code, "\n// {document}, line {}\n{}", block.line, block.code)?;
            }
            fs::write(kotlin.join("Functions.kt"), code)?;
        }
    }
    let java = project.join("src/test/java");
    fs::create_dir_all(&java)?;
    let document = "docs/java.md";
    let mut members = String::new();
    for block in guide::blocks(workspace, document, "java")? {
        if block.code.contains("static void main(") {
            let code = redirected(document, &block, JAVA_CLIENT)?.code;
            fs::write(java.join("MyTool.java"), code)?;
        } else {
            // Public, for tests in another package.
            let code = format!("\n{}", block.code).replace("\nstatic ", "\npublic static ");
            writeln!(members, "\n// {document}, line {}{code}", block.line)?;
        }
    }
    ensure!(java.join("MyTool.java").exists(), "{document} has no program");
    Ok(fs::write(
        java.join("GuideMethods.java"),
        format!("{JAVA_IMPORTS}\npublic final class GuideMethods {{{members}}}\n"),
    )?)
}

const KOTLIN_IMPORTS: &str = "package guide

import cliauth.*
import kotlinx.coroutines.*
import kotlinx.coroutines.flow.*
import java.time.Duration
import java.time.Instant
";

const JAVA_IMPORTS: &str = "import cliauth.*;
import java.time.Duration;
import java.util.concurrent.*;
";

fn is_program(block: &Block) -> bool {
    block.code.contains("fun main(")
}
