//! Texts that C passes in, and texts that it borrows.

use std::{
    ffi::{CStr, CString, c_char},
    sync::OnceLock,
};

use cli_auth::Secret;
use zeroize::Zeroize;

use super::entry::Refusal;

/// Reads the text at `pointer`. Error messages call it `name`.
///
/// # Safety
///
/// `pointer` is NULL, or points to a text that ends with NUL and does not change while the result is used.
pub(super) unsafe fn read<'a>(name: &str, pointer: *const c_char) -> Result<&'a str, Refusal> {
    if pointer.is_null() {
        return Err(Refusal::null(name));
    }
    // SAFETY: the caller's promise.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_str().map_err(|_| Refusal::misuse(format!("{name} is not UTF-8")))
}

/// Reads the text at `pointer`, which may be NULL.
///
/// # Safety
///
/// See [`read`].
pub(super) unsafe fn read_optional<'a>(
    name: &str,
    pointer: *const c_char,
) -> Result<Option<&'a str>, Refusal> {
    if pointer.is_null() {
        return Ok(None);
    }
    // SAFETY: the caller's promise.
    unsafe { read(name, pointer) }.map(Some)
}

/// Returns a copy that C can read. A NUL, which can only come from a server, becomes U+FFFD.
pub(super) fn copy(text: &str) -> CString {
    CString::new(text).unwrap_or_else(|_| CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default())
}

/// Returns a pointer that C borrows.
pub(super) fn lend(text: Option<&CString>) -> *const c_char {
    text.map_or(std::ptr::null(), |text| text.as_ptr())
}

/// A secret that C can read. It is overwritten when its owner is freed.
pub(super) struct Exposed(CString);

impl Exposed {
    fn new(secret: &Secret) -> Self {
        Self(copy(secret.expose()))
    }

    /// Copies a secret for C when it is first requested. Returns NULL if there is none.
    pub(super) fn lend_some(slot: &OnceLock<Self>, secret: Option<&Secret>) -> *const c_char {
        super::entry::value(std::ptr::null(), || {
            secret.map_or(std::ptr::null(), |secret| slot.get_or_init(|| Self::new(secret)).0.as_ptr())
        })
    }
}

impl Drop for Exposed {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Texts as an array of pointers that ends with NULL.
pub(super) struct List {
    /// The texts that the pointers point to.
    _texts: Vec<CString>,
    pointers: Vec<*const c_char>,
}

impl List {
    pub(super) fn new<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let texts: Vec<CString> = texts.into_iter().map(copy).collect();
        let pointers = texts.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect();
        Self { _texts: texts, pointers }
    }

    pub(super) fn lend(&self) -> *const *const c_char {
        self.pointers.as_ptr()
    }
}

/// Returns a text that the C program owns and frees with [`cli_auth_string_free`]. It is allocated by C, because the
/// program may modify what it owns.
pub(super) fn owned(text: &str) -> *mut c_char {
    let text = copy(text);
    // SAFETY: a text that ends with NUL.
    unsafe { libc::strdup(text.as_ptr()) }
}

/// Makes a text from a server safe to show in a terminal. Tabs and line breaks become spaces. A run of other control
/// characters, invisible characters and direction marks becomes one U+FFFD. White space at the start and the end is
/// removed. A text of more than 400 characters is cut after 400 and marked with an ellipsis (U+2026).
///
/// The results of `cli_auth_error_message`, `cli_auth_error_description`, `cli_auth_error_request_id` and the
/// `cli_auth_prompt_text` functions are already sanitised. Texts that are documented as raw are not.
///
/// @param text The text. May be NULL. Bytes that are not UTF-8 become U+FFFD.
/// @return A text, owned by the caller; free it with `cli_auth_string_free`. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_sanitize(text: *const c_char) -> *mut c_char {
    if text.is_null() {
        return std::ptr::null_mut();
    }
    // SAFETY: the caller passes a text that ends with NUL.
    let text = unsafe { CStr::from_ptr(text) };
    super::entry::value(std::ptr::null_mut(), || owned(&cli_auth::sanitize(&text.to_string_lossy())))
}

/// Frees a text that this library returned as `char *`. A `const char *` is borrowed and must not be freed.
///
/// @param text The text. May be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_string_free(text: *mut c_char) {
    // SAFETY: NULL, or it came from `owned`, and the caller passes it back once.
    unsafe { libc::free(text.cast()) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_of_a_server_does_not_end_a_text() {
        assert_eq!(copy("a\0b").to_str().unwrap(), "a\u{fffd}b");
        assert_eq!(copy("").to_bytes(), b"");
    }

    #[test]
    fn a_list_ends_with_null() {
        let list = List::new(["a", "b"]);
        assert_eq!(list.pointers.len(), 3);
        assert!(list.pointers[2].is_null() && !list.pointers[1].is_null());
        assert!(List::new([]).pointers[0].is_null());
    }
}
