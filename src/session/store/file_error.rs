//! What is wrong with the files of a session, in sentences for users.

use std::{
    fs,
    io::{self, ErrorKind as Io},
    path::Path,
};

use nix::errno::Errno;

use crate::{Error, ErrorReason, platform::files};

/// Says what failed with a file of a session in this directory, and what to do.
pub(super) fn trouble(directory: &Path, what: &str, path: &Path, error: io::Error) -> Error {
    let shown = path.display();
    let (reason, message) = match (error.raw_os_error().map(Errno::from_raw), error.kind()) {
        (Some(Errno::EACCES | Errno::EPERM), _) => match owners_of(directory) {
            Some((owner, me)) => wrong_owner(directory, &owner, &me),
            None => {
                let message =
                    format!("cannot {what} {shown}: permission denied; check its owner and permissions");
                (ErrorReason::Forbidden, message)
            }
        },
        (Some(Errno::ENOSPC | Errno::EDQUOT | Errno::EFBIG), _) | (_, Io::StorageFull) => (
            ErrorReason::NoSpace,
            format!("cannot {what} {shown}: no space is left; free some and try again"),
        ),
        (Some(Errno::EROFS), _) => {
            (ErrorReason::ReadOnly, format!("cannot {what} {shown}: the file system is read-only"))
        }
        (Some(Errno::EBUSY | Errno::EXDEV), _) => not_replaceable(path),
        (Some(Errno::ELOOP), _) if path.extension().is_some_and(|end| end == "lock") => {
            (ErrorReason::Forbidden, format!("cannot {what} {shown}: it is a link; remove it"))
        }
        (Some(Errno::ELOOP), _) => (
            ErrorReason::Forbidden,
            format!("cannot {what} {shown}: it is a link to a link; link to the file itself"),
        ),
        (Some(errno), _) => {
            let why = errno.desc();
            (ErrorReason::Failed, format!("cannot {what} {shown}: {why}; check what is there"))
        }
        (None, _) => (ErrorReason::Failed, format!("cannot {what} {shown}: {error}")),
    };
    Error::store(reason, crate::sanitize(&message)).with_cause(error)
}

/// Returns the owner of a directory and the user who runs this program, if they differ.
fn owners_of(directory: &Path) -> Option<(String, String)> {
    fs::metadata(directory).ok().as_ref().and_then(files::foreign_owner)
}

pub(super) fn wrong_owner(path: &Path, owner: &str, me: &str) -> (ErrorReason, String) {
    (
        ErrorReason::WrongOwner,
        format!(
            "{} belongs to the user {owner}, and this program runs as {me}: run it as {owner}, or let it use the home \
             directory of {me}",
            path.display()
        ),
    )
}

pub(super) fn not_replaceable(path: &Path) -> (ErrorReason, String) {
    let directory = path.parent().unwrap_or(path).display();
    (
        ErrorReason::NotReplaceable,
        format!(
            "cannot replace {}, which is mounted by itself: mount the directory {directory} instead",
            path.display()
        ),
    )
}

pub(super) fn damaged(path: &Path, why: &str) -> Error {
    Error::store(
        ErrorReason::RecordDamaged,
        crate::sanitize(&format!("the session in {} cannot be used ({why}): log in again", path.display())),
    )
}
