//! Makes the generated Python module fast to import, and safe where ctypes calls into it.
//!
//! The generated module imports a dozen modules, including asyncio and typing. A program that logs in uses almost none
//! of them, and importing them would take three times as long as everything else. `cli_auth/_lean.py` has stand-ins
//! that load the real module when it is needed.

use std::{fs, io, path::Path};

/// Whole lines and their replacements.
const LINES: [(&str, &str); 14] = [
    ("from dataclasses import dataclass", "from .._lean import dataclass"),
    ("import enum", "from .._lean import wake"),
    ("import contextlib", "from .._lean import contextlib"),
    ("import datetime", ""),
    ("import threading", "from .._lean import threading"),
    ("import traceback", ""),
    ("import typing", "from .._lean import typing"),
    ("import asyncio", "from .._lean import asyncio"),
    ("import platform", ""),
    // ctypes calls these lines and would lose their exceptions: that of a closed event loop and that of Ctrl-C.
    (
        "    (eventloop, future) = _UniffiContinuationHandleMap.remove(future_ptr)",
        "    try:\n        wake(_UniffiContinuationHandleMap, future_ptr, poll_code)",
    ),
    (
        "    eventloop.call_soon_threadsafe(_uniffi_set_future_result, future, poll_code)",
        "    except BaseException as error:\n        wake(_UniffiContinuationHandleMap, future_ptr, poll_code, error)",
    ),
    // Calls with a possible callback pass a gate that is closed at exit. The gate is a local name, because the last
    // line may run in a coroutine that is closed after the module has lost its globals.
    (
        "async def _uniffi_rust_call_async(rust_future, ffi_poll, ffi_complete, ffi_free, lift_func, error_ffi_converter):",
        "async def _uniffi_rust_call_async(rust_future, ffi_poll, ffi_complete, ffi_free, lift_func, error_ffi_converter):\n    from .._exit import gate",
    ),
    ("            ffi_poll(", "            gate.call(ffi_poll,"),
    ("        ffi_free(rust_future)", "        gate.free(ffi_free, rust_future)"),
];

/// Private names that occur hundreds of times, and short ones for them: the size of the module counts in the wheel.
const SHORT: [(&str, &str); 4] = [
    ("_UniffiFfiConverter", "_Ffi"),
    ("_uniffi_error_converter", "_errors"),
    ("_uniffi_lowered_args", "_args"),
    ("_uniffi_ffi_result", "_result"),
];

/// Rewrites the file in place.
pub(crate) fn rewrite(path: &Path) -> io::Result<()> {
    let lean = replaced(&fs::read_to_string(path)?).map_err(io::Error::other)?;
    fs::write(path, lean)
}

/// Returns the rewritten module. Fails, and so does the build, if the generator's output has changed and the
/// replacements must be reviewed.
fn replaced(source: &str) -> Result<String, String> {
    let mut lean = String::with_capacity(source.len());
    for (written, _) in LINES {
        let times = source.lines().filter(|line| *line == written).count();
        if times != 1 {
            return Err(format!("the generated module has this line {times} times and not once: {written}"));
        }
    }
    for line in without_comments(source) {
        let line = line.as_str();
        let instead = LINES.iter().find(|(written, _)| *written == line).map(|(_, instead)| *instead);
        lean.push_str(instead.unwrap_or(line));
        lean.push('\n');
    }
    for unused in ["enum.", "datetime.", "traceback.", "platform."] {
        let used = |line: &str| {
            line.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'))
                .any(|word| word.starts_with(unused))
        };
        if let Some(line) = lean.lines().find(|line| used(line)) {
            return Err(format!("the generated module uses {unused} after all: {line}"));
        }
    }
    let short = SHORT.iter().fold(lean, |lean, (long, short)| lean.replace(long, short));
    Ok(short.lines().flat_map(|line| [less_indented(line), "\n".into()]).collect())
}

/// Indents a line by one space for each four: the module is private, and its size counts in the wheel.
fn less_indented(line: &str) -> String {
    let text = line.trim_start_matches(' ');
    " ".repeat((line.len() - text.len()).div_ceil(4)) + text
}

/// Returns the lines without comments and with empty documentation: the module is private, and every import reads it.
fn without_comments(source: &str) -> Vec<String> {
    const QUOTES: &str = "\"\"\"";
    let mut lines = Vec::new();
    let mut in_documentation = false;
    for line in source.lines() {
        let text = line.trim();
        if in_documentation {
            in_documentation = !text.ends_with(QUOTES);
        } else if let Some(documentation) = text.strip_prefix(QUOTES) {
            in_documentation = !documentation.ends_with(QUOTES);
            // A body may consist of it.
            lines.push(line.replacen(text, "\"\"", 1));
        } else if !(text.is_empty() || text.starts_with('#')) {
            lines.push(line.trim_end().to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(extra: &str) -> String {
        let lines: Vec<&str> = LINES.iter().map(|(line, _)| *line).collect();
        format!("import os\n{}\n{extra}\n", lines.join("\n"))
    }

    #[test]
    fn every_line_is_replaced_and_the_rest_is_left_alone() {
        let lean = replaced(&source("import os.path\nx = 'import typing'")).unwrap();
        assert!(
            lean.starts_with("import os\nfrom .._lean import dataclass\nfrom .._lean import wake\nfrom .._lean import contextlib\n")
        );
        assert!(lean.ends_with("import os.path\nx = 'import typing'\n"));
    }

    #[test]
    fn comments_are_left_out_and_documentation_is_empty() {
        let module = "class A:\n    \"\"\"\n    Text, # and more.\n    \"\"\"\n\n    # why\n    x = 1 # kept \n    \"\"\"One line.\"\"\"\n";
        assert_eq!(without_comments(module), ["class A:", "    \"\"", "    x = 1 # kept", "    \"\""]);
    }

    #[test]
    fn frequent_private_names_are_short() {
        let lean = replaced(&source("_uniffi_lowered_args = _UniffiFfiConverterString.lower(a)")).unwrap();
        assert!(lean.ends_with("\n_args = _FfiString.lower(a)\n"));
    }

    #[test]
    fn the_indentation_is_small_and_nests_as_before() {
        let lean = replaced(&source("if a:\n    if b:\n        c(\n          d)")).unwrap();
        assert!(lean.ends_with("if a:\n if b:\n  c(\n   d)\n"));
        assert!(lean.contains("\n try:\n  wake(_UniffiContinuationHandleMap"));
    }

    #[test]
    fn a_generator_that_changed_fails_the_build() {
        assert!(replaced("import os\nimport typing\n").is_err());
        assert!(replaced(&source("import typing")).is_err());
        assert!(replaced(&source("class Kind(enum.Enum): pass")).is_err());
    }
}
