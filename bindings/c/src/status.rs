//! The statuses.

use std::ffi::{CStr, c_char};

use cli_auth::ErrorKind;

/// What came of a call: `CLI_AUTH_OK`, or what to do next. Numbers are only ever added: treat one that you do not know like
/// `CLI_AUTH_INTERNAL`.
pub type cli_auth_status = i32;

/// It succeeded.
pub const CLI_AUTH_OK: cli_auth_status = 0;
/// The user denied the request. Do not start another login unless the user asks for one.
pub const CLI_AUTH_DENIED: cli_auth_status = 1;
/// The code, or the time that the program allowed, ran out. Start again when the user wants to.
pub const CLI_AUTH_EXPIRED: cli_auth_status = 2;
/// `cli_auth_login_cancel` or `cli_auth_request_cancel` was called.
pub const CLI_AUTH_CANCELLED: cli_auth_status = 3;
/// The server wants something first that only the user can do in a browser: choose an organization, enrol a second factor.
pub const CLI_AUTH_ACTION_REQUIRED: cli_auth_status = 4;
/// The server refuses this client or this request: a wrong client id, a refresh token that is used up, the device flow not
/// switched on. Trying again changes nothing.
pub const CLI_AUTH_REJECTED: cli_auth_status = 5;
/// The server does not offer what was asked for.
pub const CLI_AUTH_UNSUPPORTED: cli_auth_status = 6;
/// The server was not reached, or said that it cannot answer now. Try again later.
pub const CLI_AUTH_NETWORK: cli_auth_status = 7;
/// No secure connection: the server's certificate was refused. Check the clock, the name and the trusted roots.
pub const CLI_AUTH_TLS: cli_auth_status = 8;
/// The server sent a response that the standards do not allow. Nothing in it was used.
pub const CLI_AUTH_INVALID_RESPONSE: cli_auth_status = 9;
/// A setting of the client is wrong. Nothing was sent.
pub const CLI_AUTH_INVALID_CONFIG: cli_auth_status = 10;
/// The process was forked after this login or request was made. Make a new one in the child.
pub const CLI_AUTH_FORKED: cli_auth_status = 11;
/// Another call drives this login or request at the moment, perhaps the one that called this callback.
pub const CLI_AUTH_BUSY: cli_auth_status = 12;
/// A defect of this library, or a lack of system resources. (A lack of memory ends the process.)
pub const CLI_AUTH_INTERNAL: cli_auth_status = 13;
/// A call that makes no sense: out of its order, NULL where it may not be, a text that is not UTF-8, or a constant that does not
/// exist. Nothing was done.
pub const CLI_AUTH_MISUSE: cli_auth_status = 14;

pub(super) fn of_kind(kind: ErrorKind) -> cli_auth_status {
    match kind {
        ErrorKind::Denied => CLI_AUTH_DENIED,
        ErrorKind::Expired => CLI_AUTH_EXPIRED,
        ErrorKind::Cancelled => CLI_AUTH_CANCELLED,
        ErrorKind::ActionRequired => CLI_AUTH_ACTION_REQUIRED,
        ErrorKind::Rejected => CLI_AUTH_REJECTED,
        ErrorKind::Unsupported => CLI_AUTH_UNSUPPORTED,
        ErrorKind::Network => CLI_AUTH_NETWORK,
        ErrorKind::Tls => CLI_AUTH_TLS,
        ErrorKind::InvalidResponse => CLI_AUTH_INVALID_RESPONSE,
        ErrorKind::InvalidConfig => CLI_AUTH_INVALID_CONFIG,
        ErrorKind::Misuse => CLI_AUTH_MISUSE,
        ErrorKind::Forked => CLI_AUTH_FORKED,
        ErrorKind::Busy => CLI_AUTH_BUSY,
        // A kind that has no status fails a test below.
        _ => CLI_AUTH_INTERNAL,
    }
}

/// The name of a status in snake_case, the same in every language: `ok`, `denied`, `action_required`, ...
///
/// @param status Any number.
/// @return A text that lives as long as the program; `unknown` for a status that this version does not have.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_status_name(status: cli_auth_status) -> *const c_char {
    name(status).as_ptr()
}

pub(super) fn name(status: cli_auth_status) -> &'static CStr {
    match status {
        CLI_AUTH_OK => c"ok",
        CLI_AUTH_DENIED => c"denied",
        CLI_AUTH_EXPIRED => c"expired",
        CLI_AUTH_CANCELLED => c"cancelled",
        CLI_AUTH_ACTION_REQUIRED => c"action_required",
        CLI_AUTH_REJECTED => c"rejected",
        CLI_AUTH_UNSUPPORTED => c"unsupported",
        CLI_AUTH_NETWORK => c"network",
        CLI_AUTH_TLS => c"tls",
        CLI_AUTH_INVALID_RESPONSE => c"invalid_response",
        CLI_AUTH_INVALID_CONFIG => c"invalid_config",
        CLI_AUTH_FORKED => c"forked",
        CLI_AUTH_BUSY => c"busy",
        CLI_AUTH_INTERNAL => c"internal",
        CLI_AUTH_MISUSE => c"misuse",
        _ => c"unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_has_the_name_of_its_kind() {
        for &kind in cli_auth::host::ERROR_KINDS {
            assert_eq!(name(of_kind(kind)).to_str().unwrap(), kind.as_str());
        }
    }
}
