//! Which call drives a login: one call at a time, from its start until it returns.
//!
//! Each call is identified by a number. Calls of this crate take a unique one. Hosts that wait outside of this crate
//! choose their own and release it explicitly.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Error, ErrorKind};

/// The next number for a call of this crate. Hosts use the lower half.
static NEXT: AtomicU64 = AtomicU64::new(1 << 63);

/// The number of the call that drives a login, or 0 if none does.
#[derive(Debug, Default)]
pub(crate) struct Holder(AtomicU64);

impl Holder {
    /// Returns a number that no other call has.
    pub(crate) fn unique_number() -> u64 {
        NEXT.fetch_add(1, Ordering::Relaxed)
    }

    /// Makes the call with this number the driver. Fails with `Busy` if another call drives.
    pub(crate) fn claim(&self, number: u64) -> Result<(), Error> {
        match self.0.compare_exchange(0, number, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) => Ok(()),
            Err(_) => Err(busy()),
        }
    }

    pub(crate) fn is(&self, number: u64) -> bool {
        number != 0 && self.0.load(Ordering::SeqCst) == number
    }

    /// Ends the claim of the call with this number. Has no effect if another call drives.
    pub(crate) fn release(&self, number: u64) {
        let _ = self.0.compare_exchange(number, 0, Ordering::SeqCst, Ordering::SeqCst);
    }
}

pub(crate) fn busy() -> Error {
    Error::new(ErrorKind::Busy, "this login is driven by another call already")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_claim_excludes_other_calls_until_it_is_released() {
        let holder = Holder::default();
        assert!(!holder.is(0));
        holder.claim(1).unwrap();
        for number in [1, 2] {
            assert_eq!(holder.claim(number).unwrap_err().kind(), ErrorKind::Busy);
        }
        holder.release(2);
        assert!(holder.is(1) && !holder.is(2));
        holder.release(1);
        holder.claim(2).unwrap();
        assert_ne!(Holder::unique_number(), Holder::unique_number());
    }
}
