//! Python: the example tool, the floor with ctypes and a shared library, and a meter in the same environment. The peers
//! are MSAL and httpx, each in its own environment.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;

use super::checkout::{Checkout, succeed};
use super::server::number;
use super::subject::{Budgets, CANCEL, Party, Peer, Size, Subject, Words, bytes};
use super::table::Budget;
use super::{floor, go};

const FLOOR: &str = "bench/floor/python/floor.py";
const METER: &str = "bench/meter/python/meter.py";
const SHORT: &str = "bench/meter/python/short.py";
const PEERS: &str = "bench/peers";

const INSTALLED_SIZE: &str = "installed";
const LIBRARIES: &str = "shared libraries inside";
const PATIENCE: Duration = Duration::from_secs(30);

/// Passed to interpreters as text because the environment may belong to another checkout.
const IMPORTS: &str = include_str!("../meter/python/imports.py");
const INSTALLED: &str = include_str!("../meter/python/installed.py");
const MSAL: &str = include_str!("../peers/msal/requirements.txt");
const HTTPX: &str = include_str!("../peers/httpx/requirements.txt");

/// Builds the wheel, the example tool and the floor.
pub(super) fn subject(checkout: &Checkout) -> anyhow::Result<Subject> {
    checkout.build_example("python")?;
    let tool = tool(checkout)?;
    let python = interpreter_of(&tool.words)?;
    Ok(Subject {
        reader: None,
        tool,
        short: Some(Words::new([&python, &checkout.root.join(SHORT)])),
        floor: beside(checkout, &python)?,
        // With ctypes, Ctrl-C does not interrupt the wait for the response.
        floor_hears: false,
        meter: Words::new([&python, &checkout.root.join(METER)]),
        cancels: CANCEL,
        crowds: &[1_000],
        budgets: Budgets {
            start: Budget::Times(1.7),
            memory: Budget::Median(16.0),
            interrupt: Budget::Median(40.0),
            poll: Budget::Median(250.0),
            crowd_cpu: Budget::Nothing,
            crowd_memory: Budget::Nothing,
        },
    })
}

pub(super) fn tool(checkout: &Checkout) -> anyhow::Result<Party> {
    let words = checkout.example("python")?;
    let python = interpreter_of(&words)?;
    let mut sizes = installed(&python, "cli-auth")?;
    if let Some(wheel) = newest_wheel(&checkout.target.join("dist")) {
        sizes.push(Size::mb("wheel file", bytes(&wheel)?, Budget::Nothing));
    }
    Ok(Party { words, sizes, import: Some(import(&python, "cli_auth")) })
}

/// Builds the floor: ctypes and the library, in an environment of the same interpreter as `python`.
fn beside(checkout: &Checkout, python: &Path) -> anyhow::Result<Party> {
    let library = floor::libraries(checkout)?.shared;
    let own = interpreter(&environment(checkout, "floor", python, "")?);
    let script = checkout.root.join(FLOOR);
    let size = bytes(&library)?;
    Ok(Party {
        sizes: vec![
            Size::mb(INSTALLED_SIZE, size + bytes(&script)?, Budget::Nothing),
            Size::mb(LIBRARIES, size, Budget::Nothing),
        ],
        import: Some(import(&own, "ctypes")),
        words: Words::new([own, script, library]),
    })
}

pub(super) fn peers(checkout: &Checkout, ca_file: &Path) -> anyhow::Result<Vec<Peer>> {
    let python = interpreter_of(&checkout.example("python")?)?;
    let peer = |name: &'static str, list: &str, issuer_path| -> anyhow::Result<Peer> {
        let directory = environment(checkout, name, &python, list)?;
        let python = interpreter(&directory);
        // By default both read the bundle of certifi, to which the server's root is added.
        let mut roots = fs::read(run_code(&python, "import certifi; print(certifi.where())")?)?;
        roots.extend(fs::read(ca_file)?);
        let bundle = directory.join("roots.pem");
        fs::write(&bundle, roots)?;
        let script = checkout.root.join(PEERS).join(name).join("peer.py");
        Ok(Peer {
            name,
            party: Party {
                words: Words::new([&python, &script]),
                sizes: installed(&python, name)?,
                import: Some(import(&python, name)),
            },
            ca_file: bundle,
            issuer_path,
            takes_no_interval: true,
            crowds: &[],
        })
    };
    // MSAL accepts only issuers with a path.
    Ok(vec![peer("msal", MSAL, "/tenant")?, peer("httpx", HTTPX, "")?])
}

/// Creates an environment with the packages of `list`, which pins each by hash, for the same base interpreter as the
/// environment of `python`. Like that one it has no pip and no setuptools, which runs code at every start. Created
/// again if the list or the interpreter has changed.
fn environment(checkout: &Checkout, name: &str, python: &Path, list: &str) -> anyhow::Result<PathBuf> {
    let directory = checkout.work("python")?.join(name);
    let base = run_code(python, "import sys; print(sys._base_executable)")?;
    let (recipe, stamp) = (format!("# {base}\n{list}"), directory.join("made-from.txt"));
    if fs::read_to_string(&stamp).is_ok_and(|found| found == recipe) {
        return Ok(directory);
    }
    let mut venv = checkout.command(base);
    venv.args(["-m", "venv", "--clear"]).arg(&directory);
    succeed(venv)?;
    let requirements = directory.join("requirements.txt");
    fs::write(&requirements, list)?;
    let pip = || {
        let mut pip = checkout.command(interpreter(&directory));
        pip.args(["-m", "pip", "--quiet", "--disable-pip-version-check"]);
        pip
    };
    let mut install = pip();
    install.args(["install", "--no-deps", "--only-binary", ":all:", "--require-hashes", "--requirement"]);
    install.arg(requirements);
    succeed(install)?;
    let mut uninstall = pip();
    uninstall.args(["uninstall", "--yes", "setuptools", "pip"]);
    succeed(uninstall)?;
    fs::write(stamp, recipe)?;
    Ok(directory)
}

fn interpreter(environment: &Path) -> PathBuf {
    environment.join("bin").join("python")
}

/// Returns the interpreter that runs the example tool.
fn interpreter_of(tool: &Words) -> anyhow::Result<PathBuf> {
    Ok(tool.first().context("the launcher executes no command")?.into())
}

fn import(python: &Path, module: &str) -> Words {
    Words::new([python.as_os_str(), "-c".as_ref(), IMPORTS.as_ref(), module.as_ref()])
}

/// Returns the installed sizes of `distribution` and its dependencies in the environment of `python`.
fn installed(python: &Path, distribution: &str) -> anyhow::Result<Vec<Size>> {
    let words = Words::new([python.as_os_str(), "-c".as_ref(), INSTALLED.as_ref(), distribution.as_ref()]);
    let found: Value = serde_json::from_str(&go(words.command())?.finish(PATIENCE)?)?;
    let figure = |name: &str| number(&found, name).with_context(|| format!("the result has no {name}"));
    Ok(vec![
        Size::mb(INSTALLED_SIZE, figure("bytes_without_bytecode")?, Budget::Median(3.0)),
        Size::mb("installed, with pip's bytecode", figure("bytes")?, Budget::Nothing),
        Size::mb(LIBRARIES, figure("bytes_of_libraries")?, Budget::Nothing),
        Size { what: "distributions", unit: "", value: figure("distributions")?, budget: Budget::Every(1.0) },
    ])
}

/// Returns what `python` prints for a line of code.
fn run_code(python: &Path, code: &str) -> anyhow::Result<String> {
    let output = Command::new(python).args(["-c", code]).output()?;
    ensure!(output.status.success(), "{}: {}", python.display(), String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn newest_wheel(folder: &Path) -> Option<PathBuf> {
    let wheels = fs::read_dir(folder).ok()?.filter_map(Result::ok).map(|entry| entry.path());
    wheels
        .filter(|path| path.extension().is_some_and(|it| it == "whl"))
        .max_by_key(|path| fs::metadata(path).and_then(|data| data.modified()).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A path or URL would tie the lists to the machine that wrote them.
    #[test]
    fn requirements_files_contain_only_packages_and_hashes() {
        for list in [MSAL, HTTPX] {
            let lines = list.lines().map(str::trim).filter(|line| !line.starts_with('#'));
            let (hashes, packages): (Vec<_>, Vec<_>) =
                lines.partition(|line| line.starts_with("--hash=sha256:"));
            assert!(hashes.len() >= packages.len());
            for package in packages {
                assert!(package.contains("==") && package.ends_with('\\'), "{package}");
            }
        }
    }
}
