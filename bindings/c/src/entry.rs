//! The boundary of every exported function: no panic leaves it, and an error becomes a status and a handle.

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

/// An output argument. It is written and never read.
pub type Out<'a, T> = Option<&'a mut MaybeUninit<T>>;

/// Why a call failed.
pub(super) struct Refusal {
    pub(super) status: cli_auth_status,
    pub(super) error: Error,
}

impl Refusal {
    /// The error for an invalid call, such as a NULL argument or an unknown constant.
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

/// Returns an argument that must not be NULL, or the error for NULL.
pub(super) fn required<T>(name: &str, handle: Option<T>) -> Result<T, Refusal> {
    handle.ok_or_else(|| Refusal::null(name))
}

/// Converts the longest wait of a call. A negative wait counts as 0.
pub(super) fn max_wait_of(seconds: f64) -> Result<Duration, Refusal> {
    if seconds.is_nan() {
        return Err(Refusal::misuse("max_wait is not a number"));
    }
    Ok(Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX))
}

/// Runs a function that returns a status.
pub(super) fn status(
    error: Out<'_, *mut cli_auth_error>,
    call: impl FnOnce() -> Result<(), Refusal>,
) -> cli_auth_status {
    caught(call).map_or_else(|refusal| report(refusal, error), |()| CLI_AUTH_OK)
}

/// Writes the error of a refusal if the caller asked for it. Returns the status.
pub(super) fn report(refusal: Refusal, error: Out<'_, *mut cli_auth_error>) -> cli_auth_status {
    let status = refusal.status;
    if let Some(error) = error {
        error.write(into_handle(cli_auth_error::new(refusal)));
    }
    status
}

/// Runs a function that returns a new handle, or NULL on failure.
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

/// Runs a function that cannot fail. After a panic it returns `otherwise`.
pub(super) fn value<T>(otherwise: T, call: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(otherwise)
}

/// Writes the value if there is one. Returns whether there is one.
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

/// Moves a value into a new handle.
pub(super) fn into_handle<T>(value: T) -> *mut T {
    Box::into_raw(Box::new(value))
}

/// Returns what `call` returns. A panic becomes a refusal.
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
