//! What every function does at its boundary: no panic gets out, and errors become a status and a handle.

use std::{
    mem::MaybeUninit,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use super::{
    error::cli_auth_error,
    status::{CLI_AUTH_MISUSE, CLI_AUTH_OK, cli_auth_status, of_kind},
};
use cli_auth::{Error, host};

/// Where a function writes what it made. Not read before.
pub type Out<'a, T> = Option<&'a mut MaybeUninit<T>>;

/// Why a call did nothing.
pub(super) struct Refusal {
    pub(super) status: cli_auth_status,
    pub(super) error: Error,
}

impl Refusal {
    /// What only a C program can get wrong.
    pub(super) fn misuse(message: impl Into<String>) -> Self {
        Self { status: CLI_AUTH_MISUSE, error: host::misuse(message) }
    }

    pub(super) fn null(name: &str) -> Self {
        Self::misuse(format!("{name} is NULL"))
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { status: of_kind(error.kind()), error }
    }
}

/// An argument that must not be NULL.
pub(super) fn required<T>(name: &str, handle: Option<T>) -> Result<T, Refusal> {
    handle.ok_or_else(|| Refusal::null(name))
}

/// How long a call may wait. What is over already is no wait.
pub(super) fn max_wait_of(seconds: f64) -> Result<Duration, Refusal> {
    if seconds.is_nan() {
        return Err(Refusal::misuse("max_wait is not a number"));
    }
    Ok(Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX))
}

/// A function that answers with a status.
pub(super) fn status(
    error: Out<'_, *mut cli_auth_error>,
    call: impl FnOnce() -> Result<(), Refusal>,
) -> cli_auth_status {
    caught(call).map_or_else(|refusal| report(refusal, error), |()| CLI_AUTH_OK)
}

/// Writes the error of a refusal where it is asked for. Returns its status.
pub(super) fn report(refusal: Refusal, error: Out<'_, *mut cli_auth_error>) -> cli_auth_status {
    let status = refusal.status;
    if let Some(error) = error {
        error.write(into_handle(cli_auth_error::new(refusal)));
    }
    status
}

/// A function that answers with a new handle, or with NULL.
pub(super) fn handle<T>(
    error: Out<'_, *mut cli_auth_error>,
    call: impl FnOnce() -> Result<T, Refusal>,
) -> *mut T {
    let mut made = std::ptr::null_mut();
    status(error, || {
        made = into_handle(call()?);
        Ok(())
    });
    made
}

/// A function that cannot fail; `otherwise` is for a defect of ours.
pub(super) fn value<T>(otherwise: T, call: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(otherwise)
}

/// Writes the value if there is one. Returns whether there is.
pub(super) fn write_some<T>(out: Out<'_, T>, value: Option<T>) -> bool {
    let there = value.is_some();
    if let (Some(out), Some(value)) = (out, value) {
        out.write(value);
    }
    there
}

/// Frees a handle.
pub(super) fn free<T>(handle: Option<Box<T>>) {
    value((), || drop(handle));
}

/// Makes a handle of a value.
pub(super) fn into_handle<T>(value: T) -> *mut T {
    Box::into_raw(Box::new(value))
}

/// What `call` gives; a panic of ours is a refusal.
pub(super) fn caught<T>(call: impl FnOnce() -> Result<T, Refusal>) -> Result<T, Refusal> {
    let defect = || Err(host::defect().into());
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_panic| defect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::CLI_AUTH_INTERNAL;

    #[test]
    fn a_wait_is_never_less_than_none_nor_too_long_to_count() {
        let of = |seconds| max_wait_of(seconds).ok();
        assert_eq!(of(1.5), Some(Duration::from_millis(1500)));
        assert_eq!(of(-1e-9), Some(Duration::ZERO));
        assert_eq!(of(f64::NEG_INFINITY), Some(Duration::ZERO));
        assert_eq!((of(1e300), of(f64::INFINITY)), (Some(Duration::MAX), Some(Duration::MAX)));
        assert_eq!(of(f64::NAN), None);
    }

    #[test]
    fn a_panic_becomes_a_status() {
        let mut error = MaybeUninit::new(std::ptr::null_mut());
        let answered = status(Some(&mut error), || panic!("on purpose"));
        assert_eq!(answered, CLI_AUTH_INTERNAL);
        // SAFETY: written above.
        let error = unsafe { error.assume_init() };
        assert!(!error.is_null());
        // SAFETY: made by `into_handle`, and given back once.
        drop(unsafe { Box::from_raw(error) });
        assert_eq!(value(7, || panic!("on purpose")), 7);
    }
}
