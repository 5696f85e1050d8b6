//! What every function does at its boundary: no panic gets out, and errors become a status and a handle.

use std::{
    mem::MaybeUninit,
    panic::{AssertUnwindSafe, catch_unwind},
};

use super::{
    error::cli_auth_error,
    status::{CLI_AUTH_INVALID_ARGUMENT, CLI_AUTH_OK, cli_auth_status, of_kind},
};
use crate::{Error, ErrorKind};

/// Where a function writes what it made. Not read before.
pub type Out<'a, T> = Option<&'a mut MaybeUninit<T>>;

/// Why a call did nothing.
pub(super) struct Refusal {
    pub(super) status: cli_auth_status,
    pub(super) error: Error,
}

impl Refusal {
    /// What only a C program can get wrong.
    pub(super) fn argument(message: impl Into<String>) -> Self {
        Self { status: CLI_AUTH_INVALID_ARGUMENT, error: Error::config(message) }
    }

    pub(super) fn null(name: &str) -> Self {
        Self::argument(format!("{name} is NULL"))
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { status: of_kind(error.kind()), error }
    }
}

/// What has to be there.
pub(super) fn given<T>(name: &str, handle: Option<T>) -> Result<T, Refusal> {
    handle.ok_or_else(|| Refusal::null(name))
}

/// A function that answers with a status.
pub(super) fn status(
    error: Out<'_, *mut cli_auth_error>,
    call: impl FnOnce() -> Result<(), Refusal>,
) -> cli_auth_status {
    match caught(call) {
        Ok(()) => CLI_AUTH_OK,
        Err(refusal) => {
            let status = refusal.status;
            if let Some(error) = error {
                error.write(give(cli_auth_error::new(refusal)));
            }
            status
        }
    }
}

/// A function that answers with a new handle, or with NULL.
pub(super) fn handle<T>(
    error: Out<'_, *mut cli_auth_error>,
    call: impl FnOnce() -> Result<T, Refusal>,
) -> *mut T {
    let mut made = std::ptr::null_mut();
    status(error, || {
        made = give(call()?);
        Ok(())
    });
    made
}

/// A function that cannot fail; `otherwise` is for a defect of ours.
pub(super) fn value<T>(otherwise: T, call: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(otherwise)
}

/// Frees a handle.
pub(super) fn free<T>(handle: Option<Box<T>>) {
    value((), || drop(handle));
}

/// Makes a handle of a value.
pub(super) fn give<T>(value: T) -> *mut T {
    Box::into_raw(Box::new(value))
}

fn caught(call: impl FnOnce() -> Result<(), Refusal>) -> Result<(), Refusal> {
    let defect = || Err(Error::new(ErrorKind::Internal, "a defect of cli-auth: please report this").into());
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_panic| defect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::c::status::CLI_AUTH_INTERNAL;

    #[test]
    fn a_panic_becomes_a_status() {
        let mut error = MaybeUninit::new(std::ptr::null_mut());
        let answered = status(Some(&mut error), || panic!("on purpose"));
        assert_eq!(answered, CLI_AUTH_INTERNAL);
        // SAFETY: written above.
        let error = unsafe { error.assume_init() };
        assert!(!error.is_null());
        // SAFETY: made by `give`, and given back once.
        drop(unsafe { Box::from_raw(error) });
        assert_eq!(value(7, || panic!("on purpose")), 7);
    }
}
