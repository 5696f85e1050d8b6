//! What C needs under `target/tools`.

use std::fs;
use std::time::Duration;

use crate::process;
use crate::setup::Tool;

const LIMIT: Duration = Duration::from_secs(15 * 60);

/// What makes the header. Another version may write another header.
pub(super) const CBINDGEN: Tool = Tool {
    title: "cbindgen",
    name: "cbindgen",
    needs: &[],
    recipe: "0.29.4",
    make: |workspace, folder, version| {
        let build = folder.join("build");
        let mut cargo = workspace.cargo("install");
        // It reads a few files: a debug build is fast enough, and sooner made.
        cargo.args(["cbindgen", "--version", version, "--locked", "--debug", "--quiet"]);
        cargo.arg("--root").arg(folder).arg("--target-dir").arg(&build);
        process::succeed(cargo, LIMIT)?;
        Ok(fs::remove_dir_all(build)?)
    },
};
