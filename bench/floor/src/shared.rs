//! The floor for other languages: one C function for one login in one process. `cargo rustc --lib --crate-type cdylib` makes
//! a shared library of it, `--crate-type staticlib` a static one.
//!
//! A yardstick that is never shipped, so the rule that `unsafe` lives in `src/ffi` alone has its one exception here: a C
//! function cannot be named, nor a text taken from C, without it.
#![allow(unsafe_code)]

use std::{
    ffi::{CStr, CString, c_char},
    ptr,
    sync::Mutex,
};

use crate::{Failure, Login};

/// The login, and the text that was given out last.
static STATE: Mutex<Option<(Login, CString)>> = Mutex::new(None);

/// The first call takes `URL CA_FILE`, starts the login and gives the user code. Each later call polls and gives `token` or
/// nothing. The text is good until the next call; a null pointer means that something went wrong. (C has a `floor` already.)
///
/// # Safety
///
/// `words` is a text as C has it.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn floor_step(words: *const c_char) -> *const c_char {
    // SAFETY: the caller gives a text that ends with a zero byte and that nobody changes during this call.
    let words = unsafe { CStr::from_ptr(words) };
    answer(words).unwrap_or(ptr::null())
}

fn answer(words: &CStr) -> Result<*const c_char, Failure> {
    let mut state = STATE.lock().map_err(|error| error.to_string())?;
    let (login, text) = match state.take() {
        Some((mut login, _)) => {
            let text = if login.poll()? { c"token" } else { c"" }.to_owned();
            (login, text)
        }
        None => {
            let (url, ca_file) = words.to_str()?.split_once(' ').ok_or("two words are needed")?;
            let login = Login::start(url, ca_file)?;
            let code = CString::new(login.user_code.as_str())?;
            (login, code)
        }
    };
    Ok(state.insert((login, text)).1.as_ptr())
}
