//! The code in the documents, for the tests that compile and run it.

use std::fs;
use std::path::Path;

use anyhow::{Context, ensure};

use crate::workspace::Workspace;

/// A piece of code in a document.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) code: String,
    /// The line of the document on which it begins, from 1.
    pub(crate) line: usize,
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
