//! What the user has to see.

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

/// The code and the address that a user needs to approve a login (RFC 8628 section 3.2).
///
/// It belongs to whoever received it: free it with `cli_auth_prompt_free`. It does not change, and all threads may read it.
/// What its functions return lives as long as it, unless they say otherwise. All of them take NULL.
pub struct cli_auth_prompt {
    prompt: Prompt,
    user_code: CString,
    verification_uri: CString,
    verification_uri_complete: Option<CString>,
    host: CString,
    product: Option<CString>,
    text: CString,
    text_for_stderr: OnceLock<CString>,
    /// Why no browser was opened: each reason that was ever lent.
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

/// The code that the user compares or types, raw. Case and punctuation are the server's business: show it as it is, but
/// sanitised.
///
/// @param prompt The prompt.
/// @return The code; NULL for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_prompt_user_code(prompt: Option<&cli_auth_prompt>) -> *const c_char {
    lend(prompt.map(|prompt| &prompt.user_code))
}

/// Where the user types the code, raw. It is https (or loopback where allowed) and has no user name in it.
///
/// @param prompt The prompt.
/// @return The address; NULL for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_prompt_verification_uri(prompt: Option<&cli_auth_prompt>) -> *const c_char {
    lend(prompt.map(|prompt| &prompt.verification_uri))
}

/// The same with the code in it, raw. Show the code beside it all the same (RFC 8628 section 3.3.1).
///
/// @param prompt The prompt.
/// @return The address, or NULL where the server sent none.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_prompt_verification_uri_complete(
    prompt: Option<&cli_auth_prompt>,
) -> *const c_char {
    lend(prompt.and_then(|prompt| prompt.verification_uri_complete.as_ref()))
}

/// How long the code lives, counted from before it was asked for.
///
/// @param prompt The prompt.
/// @return Seconds; 0 for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_prompt_expires_in(prompt: Option<&cli_auth_prompt>) -> f64 {
    prompt.map_or(0.0, |prompt| prompt.prompt.expires_in().as_secs_f64())
}

/// The host that the user is sent to, in ASCII form, so that look-alike letters show. It may be another host than the one
/// that was asked for the code (RFC 8628 section 5.3).
///
/// @param prompt The prompt.
/// @return The host; NULL for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_prompt_host(prompt: Option<&cli_auth_prompt>) -> *const c_char {
    lend(prompt.map(|prompt| &prompt.host))
}

/// Who asks: the product name that the client was made with, without the version.
///
/// @param prompt The prompt.
/// @return The name, or NULL where no product was set.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_prompt_product(prompt: Option<&cli_auth_prompt>) -> *const c_char {
    lend(prompt.and_then(|prompt| prompt.product.as_ref()))
}

/// The prompt for a user, plain and 80 columns wide: code, address, program, and a warning. Safe to print. Ends with a
/// line break; addresses are never broken.
///
/// @param prompt The prompt.
/// @return The text; an empty one for NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_prompt_text(prompt: Option<&cli_auth_prompt>) -> *const c_char {
    prompt.map_or(c"".as_ptr(), |prompt| prompt.text.as_ptr())
}

/// The same as standard error can show it: in its width, and with the code in bold where it is a terminal, `NO_COLOR` is
/// unset or empty and `TERM` is not `dumb`. Laid out at the first call.
///
/// @param prompt The prompt.
/// @return The text; an empty one for NULL.
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

/// The same, plain and wrapped at so many columns.
///
/// @param prompt The prompt.
/// @param columns The width; less than 24 counts as 24.
/// @return A text, owned by the caller, for `cli_auth_string_free`; NULL for NULL.
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

/// Opens the page in the user's browser, where that makes sense: standard error is a terminal, this is no SSH session and
/// no CI job, and there is a display. Honours `BROWSER`. Returns at once and never fails the login.
///
/// Show the code first: the page asks the user to compare it. The address goes to the opener as one argument, never
/// through a shell. The opener is a child of your process: when it ends, there is a SIGCHLD, and its status is for the program to
/// collect (`waitpid`) or to leave.
///
/// @param prompt The prompt.
/// @param[out] why_not Why nothing was started, for a user to read; written only then. May be NULL.
/// @return Whether an opener was started. Whether a page appeared is not known.
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

/// Frees a prompt, and with it every text that it lent.
///
/// @param prompt The prompt, or NULL.
#[unsafe(no_mangle)]
pub extern "C" fn cli_auth_prompt_free(prompt: Option<Box<cli_auth_prompt>>) {
    entry::free(prompt);
}
