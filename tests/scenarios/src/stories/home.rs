//! The home directory of a story: what is done to its files, and what must always be true of them.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::story::{Deed, FileStep};
use crate::fill::Values;

#[derive(Debug)]
pub(crate) struct Home {
    folder: TempDir,
    /// The record without `.json`.
    stem: PathBuf,
    lock: Option<u64>,
    /// Whether the story has changed permissions, which a command may repair.
    is_loose: bool,
}

impl Home {
    pub(crate) fn new() -> Result<Self, String> {
        let folder = TempDir::new().map_err(|error| error.to_string())?;
        for name in ["state", "runtime"] {
            fs::create_dir(folder.path().join(name)).map_err(|error| error.to_string())?;
        }
        Ok(Self { folder, stem: PathBuf::new(), lock: None, is_loose: false })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn directory(&self) -> PathBuf {
        self.path("state").join("login-example")
    }

    /// Says where the tool keeps the record.
    pub(crate) fn set_record(&mut self, record: &Path) {
        self.stem = record.with_extension("");
    }

    /// Returns the path of a file of the session by what follows its name.
    pub(crate) fn file(&self, end: &str) -> PathBuf {
        let mut name = self.stem.as_os_str().to_owned();
        name.push(end);
        name.into()
    }

    pub(crate) fn record(&self) -> Option<Vec<u8>> {
        fs::read(self.file(".json")).ok()
    }

    pub(crate) fn variables(&self) -> Vec<(String, Option<String>)> {
        let text = |path: PathBuf| Some(path.display().to_string());
        vec![
            ("HOME".to_owned(), text(self.path(""))),
            ("XDG_STATE_HOME".to_owned(), text(self.path("state"))),
            ("XDG_RUNTIME_DIR".to_owned(), text(self.path("runtime"))),
        ]
    }

    /// Does a step. Returns what is wrong, if it is a look.
    pub(crate) fn apply(&mut self, step: &FileStep, values: &Values) -> Result<Option<String>, String> {
        let path = self.file(&step.file);
        let shown = |error: std::io::Error| format!("{}: {error}", path.display());
        let read = || fs::read(&path).map_err(shown);
        match &step.deed {
            Deed::Write(text) => {
                if let Some(above) = path.parent() {
                    fs::create_dir_all(above).map_err(shown)?;
                }
                fs::write(&path, text).map_err(shown)?;
                self.is_loose = true;
            }
            Deed::Append(text) => {
                let file = fs::OpenOptions::new().append(true).open(&path);
                file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(shown)?;
            }
            Deed::Truncate(size) => {
                let file = fs::OpenOptions::new().write(true).open(&path);
                let size = u64::try_from(*size).map_err(|error| error.to_string())?;
                file.and_then(|file| file.set_len(size)).map_err(shown)?;
            }
            Deed::EditHeader { from, to } => fs::write(&path, edited(&read()?, from, to)?).map_err(shown)?,
            Deed::Mode(mode) => {
                let mode = u32::from_str_radix(mode, 8).map_err(|error| error.to_string())?;
                fs::set_permissions(&path, Permissions::from_mode(mode)).map_err(shown)?;
                self.is_loose = true;
            }
            Deed::Remove => fs::remove_file(&path).map_err(shown)?,
            Deed::Directory => {
                fs::create_dir_all(&path).map_err(shown)?;
                self.is_loose = true;
            }
            Deed::Link(name) => {
                let target = self.path(name);
                fs::rename(&path, &target).and_then(|()| symlink(&target, &path)).map_err(shown)?;
            }
            Deed::Copy(end) => fs::copy(&path, self.file(end)).map(drop).map_err(shown)?,
            Deed::Move(end) => fs::rename(&path, self.file(end)).map_err(shown)?,
            Deed::Is(wanted) => {
                let is = match fs::symlink_metadata(&path) {
                    Err(_) => "absent".to_owned(),
                    Ok(file) if file.is_symlink() => "link".to_owned(),
                    Ok(file) => format!("{:o}", file.mode() & 0o7777),
                };
                return Ok((is != *wanted).then(|| format!("{} is {is}, not {wanted}", path.display())));
            }
            Deed::Contains(text) | Deed::Lacks(text) => {
                let has = String::from_utf8_lossy(&read()?).contains(&values.text(text));
                let wanted = matches!(step.deed, Deed::Contains(_));
                return Ok((has != wanted).then(|| format!("{}: {text:?}: {has}", path.display())));
            }
        }
        Ok(None)
    }

    /// Returns what must not be true after any command.
    pub(crate) fn faults(&mut self, secrets: &[String]) -> Vec<String> {
        let mut faults = Vec::new();
        if let Ok(lock) = fs::metadata(self.file(".lock")) {
            if *self.lock.get_or_insert(lock.ino()) != lock.ino() {
                faults.push("the lock file was replaced".to_owned());
            }
        } else if self.lock.is_some() {
            faults.push("the lock file was removed".to_owned());
        }
        let directory = self.directory();
        let entries = fs::read_dir(&directory).into_iter().flatten().flatten().map(|entry| entry.path());
        for path in entries {
            let Ok(file) = fs::symlink_metadata(&path) else { continue };
            if file.is_file() && !self.is_loose && file.mode() & 0o7777 != 0o600 {
                faults.push(format!("{} has the mode {:o}", path.display(), file.mode() & 0o7777));
            }
            let text = fs::read(&path).unwrap_or_default();
            let text = String::from_utf8_lossy(&text);
            let readable = if path.extension().is_some_and(|end| end == "lock") {
                &text
            } else {
                text.split('\n').next().unwrap_or_default()
            };
            let name = path.display().to_string();
            if secrets
                .iter()
                .any(|secret| readable.contains(secret.as_str()) || name.contains(secret.as_str()))
            {
                faults.push(format!("a secret is readable in {name}"));
            }
        }
        match fs::metadata(&directory) {
            Ok(file) if !self.is_loose && file.mode() & 0o7777 != 0o700 => {
                faults.push(format!("the directory has the mode {:o}", file.mode() & 0o7777));
            }
            _ => {}
        }
        faults
    }
}

/// Replaces a text in the first line of a record, and writes the third line anew.
fn edited(record: &[u8], from: &str, to: &str) -> Result<Vec<u8>, String> {
    let text = String::from_utf8_lossy(record);
    let mut lines = text.lines();
    let (Some(header), Some(tokens)) = (lines.next(), lines.next()) else {
        return Err("the record has no two lines".to_owned());
    };
    if !header.contains(from) {
        return Err(format!("the header does not contain {from:?}: {header}"));
    }
    let body = format!("{}\n{tokens}\n", header.replacen(from, to, 1));
    let trailer = format!("{{\"length\":{},\"sha256\":\"{}\"}}\n", body.len(), sha256(body.as_bytes())?);
    Ok((body + &trailer).into_bytes())
}

/// Asks the system's program, so that this runner needs no cryptography.
fn sha256(bytes: &[u8]) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("sha256sum: {error}");
    let mut program =
        Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(failed)?;
    program.stdin.take().ok_or("no input")?.write_all(bytes).map_err(failed)?;
    let output = program.wait_with_output().map_err(failed)?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.split(' ').next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edited_record_has_the_right_checksum() {
        let text = edited(b"{\"a\":1}\n{}\nold\n", "1", "22").unwrap();
        let hash = sha256(b"{\"a\":22}\n{}\n").unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            format!("{{\"a\":22}}\n{{}}\n{{\"length\":12,\"sha256\":\"{hash}\"}}\n")
        );
        assert_eq!(hash.len(), 64);
        assert!(edited(b"{}\n{}\n", "1", "2").is_err());
    }
}
