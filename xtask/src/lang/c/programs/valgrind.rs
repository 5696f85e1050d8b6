//! valgrind, which fails over everything that it finds: errors, every kind of leak, and descriptors that are left open.

use std::process::Command;

use super::build;
use crate::workspace::Workspace;

/// valgrind as it begins; the program and its words follow. `tls`: where what it says of TLS is to be left out, too.
pub(super) fn command(workspace: &Workspace, tls: bool) -> Command {
    let mut valgrind = workspace.command("valgrind");
    valgrind.args(["--quiet", "--error-exitcode=99", "--num-callers=30", "--track-fds=yes"]);
    valgrind.args(["--leak-check=full", "--show-leak-kinds=all", "--errors-for-leak-kinds=all"]);
    let files: &[&str] = if tls { &["valgrind.supp", "valgrind-tls.supp"] } else { &["valgrind.supp"] };
    for file in files {
        valgrind.arg(format!("--suppressions={}", build::tests(workspace).join(file).display()));
    }
    valgrind
}

/// Whether it found nothing, from what it said: it lists the descriptors that are open at the end, which is no error to it.
/// Those that the program was started with are not the program's.
pub(super) fn is_content(said: &str) -> bool {
    let mut lines =
        said.lines().map(|line| line.trim_start_matches(|c: char| c == '=' || c.is_ascii_digit()).trim());
    while let Some(line) = lines.next() {
        let inherited = line.starts_with("Open ") && lines.next() == Some("<inherited from parent>");
        if !(inherited || line.is_empty() || line.starts_with("FILE DESCRIPTORS: ")) {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_that_was_inherited_is_nobodys_leak() {
        let summary = "==1== FILE DESCRIPTORS: 5 open (3 std) at exit.\n";
        let inherited =
            "==1== Open file descriptor 10: /dev/null\n==1==    <inherited from parent>\n==1== \n";
        let own = "==1== Open AF_INET socket 4: 127.0.0.1:1 <-> 127.0.0.1:2\n==1==    at 0x4953011: socket\n";
        assert!(is_content(""));
        assert!(is_content(&format!("{summary}{inherited}{inherited}")));
        assert!(!is_content(&format!("{summary}{inherited}{own}")));
        assert!(!is_content("==1== Invalid read of size 1\n"));
        assert!(!is_content("check.c:1: it does not hold\n"));
    }
}
