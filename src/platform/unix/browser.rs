//! The programs that open a page in the user's browser.

use std::{os::unix::process::CommandExt, process::Command};

/// Whether a browser needs a graphical display, which an environment variable names.
pub(crate) const NEEDS_DISPLAY: bool = cfg!(not(target_vendor = "apple"));

/// Returns the programs that open the URL given as their argument, in the order in which they are tried.
pub(crate) fn openers(wsl: bool) -> &'static [&'static str] {
    match () {
        () if cfg!(target_vendor = "apple") => &["open"],
        () if wsl => &["wslview", "xdg-open"],
        () => &["xdg-open"],
    }
}

/// Moves a program into its own process group: Ctrl-C in the terminal is meant for the login, not for the browser.
pub(crate) fn detach(command: &mut Command) {
    command.process_group(0);
}
