//! The statuses.

use std::ffi::{CStr, c_char};

use cli_auth::ErrorKind;

/// The result of a call: `CLI_AUTH_OK`, or what the caller should do next. Statuses are only ever added. Treat a status
/// that you do not know as `CLI_AUTH_INTERNAL`.
pub type cli_auth_status = i32;

/// The call succeeded.
pub const CLI_AUTH_OK: cli_auth_status = 0;
/// The user denied the request. Do not start another login unless the user asks for one.
pub const CLI_AUTH_DENIED: cli_auth_status = 1;
/// The code expired, or the login timeout of the client passed. Start another login when the user asks for one.
pub const CLI_AUTH_EXPIRED: cli_auth_status = 2;
/// `cli_auth_login_cancel` or `cli_auth_request_cancel` was called.
pub const CLI_AUTH_CANCELLED: cli_auth_status = 3;
/// The server requires a step that only the user can take in a browser, such as choosing an organization or enrolling a
/// second factor.
pub const CLI_AUTH_ACTION_REQUIRED: cli_auth_status = 4;
/// The server refuses this client or this request, for example because the client id is wrong or the device flow is not
/// enabled. Repeating the request does not help.
pub const CLI_AUTH_REJECTED: cli_auth_status = 5;
/// The server does not support the operation.
pub const CLI_AUTH_UNSUPPORTED: cli_auth_status = 6;
/// The server could not be reached, or reported that it cannot respond now. Try again later.
pub const CLI_AUTH_NETWORK: cli_auth_status = 7;
/// No secure connection could be established: the server's certificate was refused, the TLS handshake failed, or this
/// machine has no trusted roots. Check the clock, the host name and the trusted roots.
pub const CLI_AUTH_TLS: cli_auth_status = 8;
/// The server sent a response that the standards do not allow. Nothing in it was used.
pub const CLI_AUTH_INVALID_RESPONSE: cli_auth_status = 9;
/// A setting of the client is invalid. Nothing was sent.
pub const CLI_AUTH_INVALID_CONFIG: cli_auth_status = 10;
/// The process was forked after this login or request was created. Create a new one in the child.
pub const CLI_AUTH_FORKED: cli_auth_status = 11;
/// Another call is driving this login or request. It may be the call whose callback is running.
pub const CLI_AUTH_BUSY: cli_auth_status = 12;
/// A bug in this library, or a lack of system resources. (A lack of memory ends the process.)
pub const CLI_AUTH_INTERNAL: cli_auth_status = 13;
/// The call is invalid: it was made out of order, an argument is NULL that must not be, a text is not UTF-8, or a
/// constant does not exist. Nothing was done.
pub const CLI_AUTH_MISUSE: cli_auth_status = 14;
/// The refresh token is no longer valid: it was used, has expired or was revoked. The user must log in again.
pub const CLI_AUTH_LOGIN_REQUIRED: cli_auth_status = 15;
/// The proxy cannot be used: its setting is invalid, it could not be reached, or it refused the connection. Check the
/// setting.
pub const CLI_AUTH_PROXY: cli_auth_status = 16;
/// A session could not be read or written. No function of this version returns it.
pub const CLI_AUTH_STORE: cli_auth_status = 17;

pub(super) fn of_kind(kind: ErrorKind) -> cli_auth_status {
    match kind {
        ErrorKind::Denied => CLI_AUTH_DENIED,
        ErrorKind::Expired => CLI_AUTH_EXPIRED,
        ErrorKind::Cancelled => CLI_AUTH_CANCELLED,
        ErrorKind::ActionRequired => CLI_AUTH_ACTION_REQUIRED,
        ErrorKind::LoginRequired => CLI_AUTH_LOGIN_REQUIRED,
        ErrorKind::Rejected => CLI_AUTH_REJECTED,
        ErrorKind::Unsupported => CLI_AUTH_UNSUPPORTED,
        ErrorKind::Network => CLI_AUTH_NETWORK,
        ErrorKind::Tls => CLI_AUTH_TLS,
        ErrorKind::Proxy => CLI_AUTH_PROXY,
        ErrorKind::InvalidResponse => CLI_AUTH_INVALID_RESPONSE,
        ErrorKind::InvalidConfig => CLI_AUTH_INVALID_CONFIG,
        ErrorKind::Store => CLI_AUTH_STORE,
        ErrorKind::Misuse => CLI_AUTH_MISUSE,
        ErrorKind::Forked => CLI_AUTH_FORKED,
        ErrorKind::Busy => CLI_AUTH_BUSY,
        // A kind without a status makes a test below fail.
        _ => CLI_AUTH_INTERNAL,
    }
}

/// Returns the name of a status in snake_case, such as `ok`, `denied` or `action_required`. The names are the same in
/// every language.
///
/// @param status Any number.
/// @return The name, or `unknown` for a status that this version does not have. It stays valid as long as the program
/// runs.
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
        CLI_AUTH_LOGIN_REQUIRED => c"login_required",
        CLI_AUTH_PROXY => c"proxy",
        CLI_AUTH_STORE => c"store",
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
