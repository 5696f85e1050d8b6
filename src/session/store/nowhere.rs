//! What stands for a store on a machine where the user has no directory.

use super::{Backing, Bytes, Locking, Stamp};
use crate::{Error, ErrorReason, session::event::SessionEvent};

#[derive(Debug)]
pub(crate) struct Nowhere;

fn no_directory() -> Error {
    let message = "there is no directory for the session: set HOME or XDG_STATE_HOME";
    Error::store(ErrorReason::NoDirectory, message)
}

impl Backing for Nowhere {
    fn stamp(&self) -> Stamp {
        Stamp::Absent
    }

    fn load(&self, _events: &mut Vec<SessionEvent>) -> Result<Option<(Bytes, Stamp)>, Error> {
        Err(no_directory())
    }

    fn try_lock(&self, _events: &mut Vec<SessionEvent>) -> Result<Locking, Error> {
        Err(no_directory())
    }

    fn check_writable(&self, _events: &mut Vec<SessionEvent>) -> Result<(), Error> {
        Err(no_directory())
    }

    fn remove_unlocked(&self) -> Result<bool, Error> {
        Ok(false)
    }
}
