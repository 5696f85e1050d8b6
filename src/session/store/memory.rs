//! A store in the memory of this process. What it has ends with the session object.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use super::{Backing, Bytes, Locked, Locking, Recovery, Stamp};
use crate::{
    Error,
    process::lock,
    session::{event::SessionEvent, policy::Note},
};

#[derive(Debug, Default)]
pub(crate) struct MemoryStore(Arc<Kept>);

#[derive(Default)]
struct Kept {
    record: Mutex<(Option<Bytes>, u64)>,
    is_locked: AtomicBool,
    note: Mutex<Option<Note>>,
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Kept").finish_non_exhaustive()
    }
}

impl Kept {
    fn load(&self) -> Result<Option<(Bytes, Stamp)>, Error> {
        let kept = lock(&self.record)?;
        Ok(kept.0.as_ref().map(|record| (record.clone(), Stamp::Count(kept.1))))
    }

    fn set(&self, record: Option<Bytes>) -> Result<(bool, Stamp), Error> {
        let mut kept = lock(&self.record)?;
        let had = kept.0.is_some();
        kept.1 = kept.1.saturating_add(1);
        kept.0 = record;
        Ok((had, Stamp::Count(kept.1)))
    }
}

impl Backing for MemoryStore {
    fn stamp(&self) -> Stamp {
        lock(&self.0.record).map_or(Stamp::Unknown, |kept| match kept.0 {
            Some(_) => Stamp::Count(kept.1),
            None => Stamp::Absent,
        })
    }

    fn load(&self, _events: &mut Vec<SessionEvent>) -> Result<Option<(Bytes, Stamp)>, Error> {
        self.0.load()
    }

    fn try_lock(&self, _events: &mut Vec<SessionEvent>) -> Result<Locking, Error> {
        if self.0.is_locked.swap(true, Ordering::SeqCst) {
            return Ok(Locking::Busy("another call of this program".into()));
        }
        Ok(Locking::Taken(Box::new(MemoryLock(Arc::clone(&self.0)))))
    }

    fn check_writable(&self, _events: &mut Vec<SessionEvent>) -> Result<(), Error> {
        Ok(())
    }

    fn remove_unlocked(&self) -> Result<bool, Error> {
        Ok(self.0.set(None)?.0)
    }
}

struct MemoryLock(Arc<Kept>);

impl Drop for MemoryLock {
    fn drop(&mut self) {
        self.0.is_locked.store(false, Ordering::SeqCst);
    }
}

impl Locked for MemoryLock {
    fn note(&self) -> Option<Note> {
        lock(&self.0.note).ok().and_then(|note| *note)
    }

    fn leave(&mut self, note: Note) {
        if let Ok(mut kept) = lock(&self.0.note) {
            *kept = Some(note);
        }
    }

    fn recover(&mut self, _is_successor: &dyn Fn(&[u8], &[u8]) -> bool) -> Result<Recovery, Error> {
        Ok(Recovery::Nothing)
    }

    fn load(&self, _events: &mut Vec<SessionEvent>) -> Result<Option<(Bytes, Stamp)>, Error> {
        self.0.load()
    }

    fn prepare(&mut self, _size: usize) -> Result<(), Error> {
        Ok(())
    }

    fn replace(&mut self, _expected: Option<&[u8]>, new: &[u8]) -> Result<Option<Stamp>, Error> {
        Ok(Some(self.0.set(Some(Bytes::new(new.to_vec())))?.1))
    }

    fn move_aside(&mut self) -> Result<Option<std::path::PathBuf>, Error> {
        self.0.set(None).map(|_| None)
    }

    fn remove(&mut self) -> Result<bool, Error> {
        Ok(self.0.set(None)?.0)
    }
}
