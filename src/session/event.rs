//! What a session reports while it works.

use crate::{Error, ErrorKind};

/// Something that a session did or noticed. Variants may be added: match with a `_` arm.
///
/// Events require no action. They are reported on the thread of the call that caused them, after all locks were
/// released. [`SessionBuilder::on_event`](crate::SessionBuilder::on_event) receives them.
///
/// ```
/// # fn show(event: &cli_auth::SessionEvent) {
/// if let Some(warning) = event.warning() {
///     eprintln!("Warning: {warning}.");
/// }
/// # }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SessionEvent {
    /// New tokens were received and saved.
    Refreshed,
    /// An access token was due but could not be refreshed. The current one was returned, because it is still valid.
    #[non_exhaustive]
    RefreshFailed {
        /// Why not.
        error: Error,
    },
    /// The tokens were received but could not be saved. They are kept in this session's memory, and every later call
    /// tries again.
    #[non_exhaustive]
    NotSaved {
        /// Why not.
        error: Error,
    },
    /// The server has ended the session. The current access token was returned, because it is still valid.
    #[non_exhaustive]
    Ended {
        /// What the server says.
        error: Error,
    },
    /// A login replaced that of another user.
    #[non_exhaustive]
    UserChanged {
        /// The subject of the user before.
        previous_subject: String,
    },
    /// The tokens were saved without a key store: only the permissions of the file protect them.
    #[non_exhaustive]
    Unprotected {
        /// Why there is no key store: a sentence.
        message: String,
    },
    /// A file could be read by other users of this machine. It no longer can, unless the message says so.
    #[non_exhaustive]
    ModeRepaired {
        /// What was found and done: a sentence.
        message: String,
    },
    /// Locks do not work where the session is stored, so another directory has the lock.
    #[non_exhaustive]
    LockMoved {
        /// Where the lock is: a sentence.
        message: String,
    },
    /// What was stored could not be read, and was moved aside by a login.
    #[non_exhaustive]
    MovedAside {
        /// Where it is now: a sentence.
        message: String,
    },
    /// The session was removed from this machine.
    LoggedOut,
}

impl SessionEvent {
    /// Returns the sentence for an event that the user should hear of. `None` for the others.
    ///
    /// ```
    /// assert!(cli_auth::SessionEvent::Refreshed.warning().is_none());
    /// ```
    pub fn warning(&self) -> Option<String> {
        match self {
            Self::NotSaved { error } => Some(format!("the tokens were not saved: {error}")),
            // Unlike a network, a disk does not recover without the user.
            Self::RefreshFailed { error } if error.kind() == ErrorKind::Store => {
                Some(format!("the session could not be refreshed: {error}"))
            }
            Self::Ended { error } => Some(error.to_string()),
            Self::Unprotected { message }
            | Self::ModeRepaired { message }
            | Self::LockMoved { message }
            | Self::MovedAside { message } => Some(message.clone()),
            Self::RefreshFailed { .. } | Self::UserChanged { .. } | Self::Refreshed | Self::LoggedOut => None,
        }
    }
}
