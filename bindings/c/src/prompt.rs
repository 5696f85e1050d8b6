//! The prompt that the user must see.

use std::{
    ffi::{CString, c_char},
    ptr,
    sync::{Mutex, OnceLock, PoisonError},
};

use super::{
    entry::{self, Out, write_some},
    text::{self, copy, lend},
};
use cli_auth::{Launch, Prompt};

/// The code and the URL that a user needs to approve a login (RFC 8628 section 3.2).
///
/// The caller owns it and frees it with `cli_auth_prompt_free`. It does not change, and several threads may use it at
/// once. What its functions return is borrowed from it, unless they say otherwise. All its functions accept NULL.
pub struct cli_auth_prompt {
    prompt: Prompt,
    user_code: CString,
    verification_uri: CString,
    verification_uri_complete: Option<CString>,
    host: CString,
    product: Option<CString>,
    text: CString,
    text_for_stderr: OnceLock<CString>,
    /// Why no browser was opened: every reason that a caller has borrowed.
    reasons: Mutex<Vec<CString>>,
}

impl cli_auth_prompt {
    pub(super) fn new(prompt: Prompt) -> Self {
        Self {
            user_code: copy(prompt.user_code()),
            verification_uri: copy(prompt.verification_uri()),
            verification_uri_complete: prompt.verification_uri_complete().map(copy),
            host: copy(&prompt.host()),
            product: prompt.product().map(copy),
            text: copy(&prompt.text()),
            text_for_stderr: OnceLock::new(),
            reasons: Mutex::default(),
            prompt,
        }
    }

    fn open_browser(&self) -> Option<*const c_char> {
        let Launch::NotStarted(why) = self.prompt.open_browser() else { return None };
        let why = copy(why);
        let mut reasons = self.reasons.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = reasons.iter().find(|known| **known == why) {
            return Some(known.as_ptr());
        }
        reasons.push(why);
        reasons.last().map(|kept| kept.as_ptr())
    }
}

/// Returns the code that the user compares or enters. It is raw. The server decides on its case and punctuation: show
/// it unchanged, but sanitised.
///
/// @param prompt The prompt. May be NULL.
/// @return The code, borrowed from the prompt; NULL for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_prompt_user_code(prompt: Option<&cli_auth_prompt>) -> *const c_char {
    lend(prompt.map(|prompt| &prompt.user_code))
}

/// Returns the URL at which the user enters the code. It is raw. Its scheme is https (or http on this machine where
/// allowed), and it contains no user name.
///
/// @param prompt The prompt. May be NULL.
/// @return The URL, borrowed from the prompt; NULL for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_prompt_verification_uri(prompt: Option<&cli_auth_prompt>) -> *const c_char {
    lend(prompt.map(|prompt| &prompt.verification_uri))
}

/// Returns the verification URL with the code in it. It is raw. Show the code beside it nevertheless (RFC 8628 section
/// 3.3.1).
///
/// @param prompt The prompt. May be NULL.
/// @return The URL, borrowed from the prompt; NULL if the server sent none, and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_prompt_verification_uri_complete(
    prompt: Option<&cli_auth_prompt>,
) -> *const c_char {
    lend(prompt.and_then(|prompt| prompt.verification_uri_complete.as_ref()))
}

/// Returns the lifetime of the code, counted from before it was requested.
///
/// @param prompt The prompt. May be NULL.
/// @return Seconds; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_prompt_expires_in(prompt: Option<&cli_auth_prompt>) -> f64 {
    prompt.map_or(0.0, |prompt| prompt.prompt.expires_in().as_secs_f64())
}

/// Returns the host of the verification URL in ASCII form, so that look-alike letters are visible. It may differ from
/// the host that issued the code (RFC 8628 section 5.3).
///
/// @param prompt The prompt. May be NULL.
/// @return The host, borrowed from the prompt; NULL for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_prompt_host(prompt: Option<&cli_auth_prompt>) -> *const c_char {
    lend(prompt.map(|prompt| &prompt.host))
}

/// Returns the product name of the client, without the version.
///
/// @param prompt The prompt. May be NULL.
/// @return The name, borrowed from the prompt; NULL if no product was set, and for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_prompt_product(prompt: Option<&cli_auth_prompt>) -> *const c_char {
    lend(prompt.and_then(|prompt| prompt.product.as_ref()))
}

/// Returns the prompt as plain text, 80 columns wide: the code, the URL, the name of the program, and a warning. It is
/// safe to print. It ends with a line break, and URLs are never broken.
///
/// @param prompt The prompt. May be NULL.
/// @return The text, borrowed from the prompt; an empty text for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_prompt_text(prompt: Option<&cli_auth_prompt>) -> *const c_char {
    prompt.map_or(c"".as_ptr(), |prompt| prompt.text.as_ptr())
}

/// Returns the same text for standard error, as wide as the terminal. The code is bold if standard error is a terminal,
/// `NO_COLOR` is unset or empty, and `TERM` is not `dumb`. The first call decides on the layout.
///
/// @param prompt The prompt. May be NULL.
/// @return The text, borrowed from the prompt; an empty text for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_prompt_text_for_stderr(prompt: Option<&cli_auth_prompt>) -> *const c_char {
    let nothing = c"".as_ptr();
    entry::value(nothing, || {
        prompt.map_or(nothing, |prompt| {
            let lay_out = || copy(&prompt.prompt.text_for_stderr());
            prompt.text_for_stderr.get_or_init(lay_out).as_ptr()
        })
    })
}

/// Returns the same text, plain and wrapped at a given width.
///
/// @param prompt The prompt. May be NULL.
/// @param columns The width in columns. A width below 24 counts as 24.
/// @return A text, owned by the caller; free it with `cli_auth_string_free`. NULL for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_prompt_text_wrapped(
    prompt: Option<&cli_auth_prompt>,
    columns: u32,
) -> *mut c_char {
    entry::value(ptr::null_mut(), || {
        let columns = usize::try_from(columns).unwrap_or(usize::MAX);
        prompt.map_or(ptr::null_mut(), |prompt| text::owned(&prompt.prompt.text_wrapped(columns)))
    })
}

/// Opens the verification page in the user's browser. It does so only if standard error is a terminal, this is neither
/// an SSH session nor a CI job, and there is a display. `BROWSER`, if set, is tried first, also in an SSH session and
/// without a display. It returns at once and never fails the login.
///
/// Show the code first: the page asks the user to compare it. The URL is passed to the opener as one argument, never
/// through a shell. The opener is a child of the calling process, which receives SIGCHLD when it exits. A thread of the
/// library collects its status.
///
/// @param prompt The prompt. May be NULL.
/// @param[out] why_not Why nothing was started, for display to the user. Written only then; borrowed from the prompt.
/// May be NULL.
/// @return Whether an opener was started. It is not known whether a page appeared.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_prompt_open_browser(
    prompt: Option<&cli_auth_prompt>,
    why_not: Out<'_, *const c_char>,
) -> bool {
    let why = entry::value(Some(c"of a defect of cli-auth".as_ptr()), || match prompt {
        Some(prompt) => prompt.open_browser(),
        None => Some(c"there is no prompt".as_ptr()),
    });
    !write_some(why_not, why)
}

/// Frees a prompt and every text that was borrowed from it.
///
/// @param prompt The prompt. May be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_prompt_free(prompt: Option<Box<cli_auth_prompt>>) {
    entry::free(prompt);
}
