//! The code in the documents, compiled as a user compiles it and run.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};

use crate::authserver::Server;
use crate::report::Report;
use crate::workspace::Workspace;

/// A piece of code in a document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) code: String,
    /// The line of the document on which it begins, from 1.
    pub(crate) line: usize,
}

/// The code of a language in the documents. Blocks that are programs log in; the others are functions.
pub(crate) struct Guide<'a> {
    /// As the fences name it.
    pub(crate) language: &'a str,
    /// All have a program in them; the first has functions too.
    pub(crate) documents: &'a [&'a str],
    /// What only a program has.
    pub(crate) program_has: &'a str,
    /// What the programs say of AuthKit, and what stands there instead, to go to the test server.
    pub(crate) client: (&'a str, &'a str),
    /// A block with a note for the compiler, whose messages then name the document's lines.
    pub(crate) located: fn(&str, &Block) -> String,
    /// What the caller of all functions says.
    pub(crate) functions_say: &'a [&'a str],
    /// Compiles the code and runs it with the address of the test server; gives what it said.
    pub(crate) run: &'a dyn Fn(Code, &str) -> anyhow::Result<String>,
}

pub(crate) enum Code {
    Program(String),
    /// To be compiled with what calls them.
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
                    says(&said, &["Logged in", "Approve only if you started this login yourself"])?;
                }
                Ok(())
            })?;
        }
        let guide = self.documents.first().context("no documents")?;
        report.part(&format!("the functions in {guide}"), |_| {
            let (_, functions) = self.blocks(workspace, guide)?;
            let code = functions.iter().map(|block| (self.located)(guide, block)).collect();
            says(&(self.run)(Code::Functions(code), &server.url)?, self.functions_say)
        })
    }

    /// Programs and functions.
    fn blocks(&self, workspace: &Workspace, document: &str) -> anyhow::Result<(Vec<Block>, Vec<Block>)> {
        let blocks = blocks(workspace, document, self.language)?;
        Ok(blocks.into_iter().partition(|block| block.code.contains(self.program_has)))
    }
}

fn says(said: &str, wanted: &[&str]) -> anyhow::Result<()> {
    for words in wanted {
        ensure!(said.contains(words), "not said: {words}\n{said}");
    }
    Ok(())
}

/// `block` with something else in the place of what it has to have exactly once.
pub(crate) fn redirected(
    document: &str,
    block: &Block,
    (written, instead): (&str, &str),
) -> anyhow::Result<Block> {
    let times = block.code.matches(written).count();
    ensure!(times == 1, "{document}, line {}: {times} times {written}", block.line);
    Ok(Block { code: block.code.replace(written, instead), line: block.line })
}

/// The code of `language` in a document of the project, which has to have some.
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
    fn only_code_of_the_language_is_taken() {
        let text = "a\n```c\nint x;\n\nint y;\n```\n```sh\nls\n```\n```c\nint z;\n```\n";
        let block = |code: &str, line| Block { code: code.to_owned(), line };
        assert_eq!(fenced(text, "c"), [block("int x;\n\nint y;\n", 3), block("int z;\n", 11)]);
        assert!(fenced(text, "go").is_empty());
    }
}
