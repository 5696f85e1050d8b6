//! Python: the example tool beside ctypes and a shared library, measured from inside by a script in the same environment.
//! MSAL and httpx are the peers, each in an environment of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::Value;

use super::server::number;
use super::subject::{Budgets, CANCEL, Party, Peer, Size, Subject, Words, bytes};
use super::table::Budget;
use super::{floor, go};
use crate::examples::in_foreground;
use crate::lang::Language;
use crate::process;
use crate::setup::{make_venv, once};
use crate::workspace::{Profile, Workspace};

const FLOOR: &str = "xtask/floor/python/floor.py";
const METER: &str = "xtask/meter/python/meter.py";
const SHORT: &str = "xtask/meter/python/short.py";
const IMPORTS: &str = "xtask/meter/python/imports.py";
const INSTALLED: &str = "xtask/meter/python/installed.py";
const PEERS: &str = "xtask/floor/peers";

const INSTALLED_SIZE: &str = "installed";
const LIBRARIES: &str = "shared libraries in it";
const PATIENCE: Duration = Duration::from_secs(30);

const MSAL: &str = include_str!("../../floor/peers/msal/requirements.txt");
const HTTPX: &str = include_str!("../../floor/peers/httpx/requirements.txt");

/// Builds the wheel, the example tool and the floor.
pub(super) fn subject(workspace: &Workspace) -> anyhow::Result<Subject> {
    Language::Python.build_example(workspace, Profile::Release, in_foreground)?;
    let tool = Language::Python.words(workspace, Profile::Release);
    let python = tool.first().context("no interpreter")?.clone();
    let mut sizes = installed(workspace, &python, "cli-auth")?;
    if let Some(wheel) = newest_wheel(&workspace.dist()) {
        sizes.push(Size::mb("wheel file", bytes(&wheel)?, Budget::Nothing));
    }
    Ok(Subject {
        tool: Party { words: Words::new(tool), sizes, import: Some(import(workspace, &python, "cli_auth")) },
        short: Some(Words::new([&python, &workspace.root.join(SHORT)])),
        floor: beside(workspace, &python)?,
        // ctypes notes Ctrl-C and goes on waiting for the answer.
        floor_hears: false,
        meter: Words::new([&python, &workspace.root.join(METER)]),
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

/// ctypes and the library, in an environment of the interpreter that `python` stands for.
fn beside(workspace: &Workspace, python: &Path) -> anyhow::Result<Party> {
    let library = floor::libraries(workspace)?.shared;
    let own = interpreter(&environment(workspace, "floor-python", python, "")?);
    let script = workspace.root.join(FLOOR);
    let size = bytes(&library)?;
    Ok(Party {
        sizes: vec![
            Size::mb(INSTALLED_SIZE, size + bytes(&script)?, Budget::Nothing),
            Size::mb(LIBRARIES, size, Budget::Nothing),
        ],
        import: Some(import(workspace, &own, "ctypes")),
        words: Words::new([own, script, library]),
    })
}

pub(super) fn peers(workspace: &Workspace, ca_file: &Path) -> anyhow::Result<Vec<Peer>> {
    let tool = Language::Python.words(workspace, Profile::Release);
    let python = tool.first().context("no interpreter")?;
    let peer = |name: &'static str, list: &str, issuer_path| -> anyhow::Result<Peer> {
        let folder = environment(workspace, &format!("peer-{name}"), python, list)?;
        let python = interpreter(&folder);
        // By default both read the bundle of certifi; here the server's root is in it as well.
        let mut roots = fs::read(ask(workspace, &python, "import certifi; print(certifi.where())")?)?;
        roots.extend(fs::read(ca_file)?);
        let bundle = folder.join("roots.pem");
        fs::write(&bundle, roots)?;
        let script = workspace.root.join(PEERS).join(name).join("peer.py");
        Ok(Peer {
            name,
            party: Party {
                words: Words::new([&python, &script]),
                sizes: installed(workspace, &python, name)?,
                import: Some(import(workspace, &python, name)),
            },
            ca_file: bundle,
            issuer_path,
            takes_no_interval: true,
            crowds: &[],
        })
    };
    // MSAL takes only issuers with a path.
    Ok(vec![peer("msal", MSAL, "/tenant")?, peer("httpx", HTTPX, "")?])
}

/// An environment of its own with the packages of `list`, of the interpreter that the one of `python` was made from. Like
/// that one it holds no pip, and no setuptools, which runs at every start.
fn environment(workspace: &Workspace, name: &str, python: &Path, list: &str) -> anyhow::Result<PathBuf> {
    let base = PathBuf::from(ask(workspace, python, "import sys; print(sys._base_executable)")?);
    let recipe = format!("{}\n{list}", base.display());
    once(workspace, name, &recipe, |folder| {
        make_venv(workspace, &base, folder, list)?;
        let mut pip = workspace.command(interpreter(folder));
        pip.args(["-m", "pip", "uninstall", "--quiet", "--yes", "setuptools", "pip"]);
        process::succeed(pip, PATIENCE)
    })?;
    Ok(workspace.tools().join(name))
}

fn interpreter(environment: &Path) -> PathBuf {
    environment.join("bin").join("python")
}

fn import(workspace: &Workspace, python: &Path, module: &str) -> Words {
    Words::new([python.as_os_str(), workspace.root.join(IMPORTS).as_os_str(), module.as_ref()])
}

/// What the environment of `python` holds for the sake of `distribution`.
fn installed(workspace: &Workspace, python: &Path, distribution: &str) -> anyhow::Result<Vec<Size>> {
    let script = workspace.root.join(INSTALLED);
    let words = Words::new([python.as_os_str(), script.as_os_str(), distribution.as_ref()]);
    let found: Value = serde_json::from_str(&go(words.command())?.finish(PATIENCE)?)?;
    let figure = |name: &str| number(&found, name).with_context(|| format!("no {name}"));
    Ok(vec![
        Size::mb(INSTALLED_SIZE, figure("bytes_without_bytecode")?, Budget::Median(3.0)),
        Size::mb("installed, with pip's bytecode", figure("bytes")?, Budget::Nothing),
        Size::mb(LIBRARIES, figure("bytes_of_libraries")?, Budget::Nothing),
        Size { what: "distributions", unit: "", value: figure("distributions")?, budget: Budget::Every(1.0) },
    ])
}

/// What `python` prints for a line of code.
fn ask(workspace: &Workspace, python: &Path, code: &str) -> anyhow::Result<String> {
    let output = workspace.command(python).args(["-c", code]).output()?;
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

    /// A place would tie the lists to the machine that wrote them.
    #[test]
    fn the_lists_of_peers_hold_packages_and_hashes_alone() {
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
