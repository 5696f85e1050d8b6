//! The tools that C needs under `target/tools`.

use std::fs;
use std::time::Duration;

use crate::process;
use crate::setup::Tool;

const LIMIT: Duration = Duration::from_secs(15 * 60);

/// The generator of the header. Another version may generate a different header.
pub(super) const CBINDGEN: Tool = Tool {
    title: "cbindgen",
    name: "cbindgen",
    needs: &[],
    recipe: "0.29.4",
    make: |workspace, folder, version| {
        let build = folder.join("build");
        let mut cargo = workspace.cargo("install");
        // A debug build is fast enough for a few files and compiles sooner.
        cargo.args(["cbindgen", "--version", version, "--locked", "--debug", "--quiet"]);
        cargo.arg("--root").arg(folder).arg("--target-dir").arg(&build);
        process::succeed(cargo, LIMIT)?;
        Ok(fs::remove_dir_all(build)?)
    },
};
