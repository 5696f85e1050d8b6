//! The floor for a stored token: a program that reads a file and prints a line of it.

use std::{
    env, fs,
    io::{self, Write},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = env::args_os().nth(1).ok_or("usage: reader FILE")?;
    let text = fs::read_to_string(path)?;
    let line = text.lines().nth(1).unwrap_or_default();
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
