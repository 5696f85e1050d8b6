//! Compiles the code in the documents as a user would, and runs it.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};

use crate::authserver::Server;
use crate::report::Report;
use crate::workspace::Workspace;

/// A code block in a document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) code: String,
    /// The line of the document on which the block starts, counted from 1.
    pub(crate) line: usize,
}

/// The code of one language in the documents. A block is either a program, which logs in, or a function.
pub(crate) struct Guide<'a> {
    /// The language name after the code fences.
    pub(crate) language: &'a str,
    /// The documents. Each contains a program; the first also contains functions.
    pub(crate) documents: &'a [&'a str],
    /// Text that only programs contain.
    pub(crate) program_has: &'a str,
    /// The text that creates an AuthKit client, and its replacement for the test server.
    pub(crate) client: (&'a str, &'a str),
    /// Adds a directive to a block so that compiler messages name the document's lines.
    pub(crate) located: fn(&str, &Block) -> String,
    /// The expected output of the caller of all functions.
    pub(crate) functions_print: &'a [&'a str],
    /// Compiles the code, runs it with the URL of the test server, and returns its output.
    pub(crate) run: &'a dyn Fn(Code, &str) -> anyhow::Result<String>,
}

pub(crate) enum Code {
    Program(String),
    /// Compiled together with a program that calls them.
    Functions(String),
}

impl Guide<'_> {
    pub(crate) fn test(&self, workspace: &Workspace, report: &mut Report) -> anyhow::Result<()> {
        let server = Server::start(workspace, &["--approve"])?;
        for document in self.documents {
            report.part(&format!("the program in {document}"), |_| {
                let (programs, _) = self.blocks(workspace, document)?;
                ensure!(!programs.is_empty(), "{document} has no program");
                for program in &programs {
                    let code = redirected(document, program, self.client)?;
                    let said = (self.run)(Code::Program((self.located)(document, &code)), &server.url)?;
                    require_texts(&said, &["Logged in", "Approve only if you started this login yourself"])?;
                }
                Ok(())
            })?;
        }
        let guide = self.documents.first().context("the guide has no documents")?;
        report.part(&format!("the functions in {guide}"), |_| {
            let (_, functions) = self.blocks(workspace, guide)?;
            let code = functions.iter().map(|block| (self.located)(guide, block)).collect();
            require_texts(&(self.run)(Code::Functions(code), &server.url)?, self.functions_print)
        })
    }

    /// Returns the programs and the functions of a document.
    fn blocks(&self, workspace: &Workspace, document: &str) -> anyhow::Result<(Vec<Block>, Vec<Block>)> {
        let blocks = blocks(workspace, document, self.language)?;
        Ok(blocks.into_iter().partition(|block| block.code.contains(self.program_has)))
    }
}

fn require_texts(said: &str, wanted: &[&str]) -> anyhow::Result<()> {
    for words in wanted {
        ensure!(said.contains(words), "the output lacks {words:?}:\n{said}");
    }
    Ok(())
}

/// Replaces a text that must occur exactly once in `block`.
pub(crate) fn redirected(
    document: &str,
    block: &Block,
    (written, instead): (&str, &str),
) -> anyhow::Result<Block> {
    let times = block.code.matches(written).count();
    ensure!(
        times == 1,
        "{document}, line {}: {written} must occur once but occurs {times} times",
        block.line
    );
    Ok(Block { code: block.code.replace(written, instead), line: block.line })
}

/// Returns the code blocks of `language` in a document, which must have at least one.
pub(crate) fn blocks(workspace: &Workspace, document: &str, language: &str) -> anyhow::Result<Vec<Block>> {
    let path = workspace.root.join(Path::new(document));
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {document}"))?;
    let found = fenced(&text, language);
    ensure!(!found.is_empty(), "{document} has no {language} code");
    Ok(found)
}

fn fenced(text: &str, language: &str) -> Vec<Block> {
    let opening = format!("```{language}");
    let mut blocks: Vec<Block> = Vec::new();
    let mut inside = false;
    for (number, line) in text.lines().enumerate() {
        match (inside, blocks.last_mut()) {
            (true, _) if line == "```" => inside = false,
            (true, Some(block)) => {
                block.code.push_str(line);
                block.code.push('\n');
            }
            _ if line == opening => {
                blocks.push(Block { code: String::new(), line: number + 2 });
                inside = true;
            }
            _ => {}
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_of_the_given_language_is_read() {
        let text = "a\n```c\nint x;\n\nint y;\n```\n```sh\nls\n```\n```c\nint z;\n```\n";
        let block = |code: &str, line| Block { code: code.to_owned(), line };
        assert_eq!(fenced(text, "c"), [block("int x;\n\nint y;\n", 3), block("int z;\n", 11)]);
        assert!(fenced(text, "go").is_empty());
    }
}
