//! The floor for other languages: one C function for one login per process. `cargo rustc --lib --crate-type cdylib`
//! builds a shared library, `--crate-type staticlib` a static one.
//!
//! `unsafe` is necessary to export a C function and to read a C string.
#![allow(unsafe_code)]

use std::{
    ffi::{CStr, CString, c_char},
    ptr,
    sync::Mutex,
};

use crate::{Failure, Login};

/// The login and the text that was returned last.
static STATE: Mutex<Option<(Login, CString)>> = Mutex::new(None);

/// The first call takes `URL CA_FILE`, starts the login and returns the user code. Each later call polls and returns
/// `token` or an empty text. The text is valid until the next call. Returns a null pointer on failure. (The name
/// `floor` is taken in C.)
///
/// # Safety
///
/// `words` must be a valid C string.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn floor_step(words: *const c_char) -> *const c_char {
    // SAFETY: the caller passes a C string that does not change during this call.
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
            let (url, ca_file) = words.to_str()?.split_once(' ').ok_or("two arguments are required")?;
            let login = Login::start(url, ca_file)?;
            let code = CString::new(login.user_code.as_str())?;
            (login, code)
        }
    };
    Ok(state.insert((login, text)).1.as_ptr())
}
