//! Texts: those that C gives, and those that it borrows.

use std::ffi::{CStr, CString, c_char};

use zeroize::Zeroize;

use super::entry::Refusal;

/// The text at `pointer`, named `name` in what is said about it.
///
/// # Safety
///
/// `pointer` is NULL, or begins a text that ends with NUL and stays as it is while the result is used.
pub(super) unsafe fn read<'a>(name: &str, pointer: *const c_char) -> Result<&'a str, Refusal> {
    if pointer.is_null() {
        return Err(Refusal::null(name));
    }
    // SAFETY: the caller's promise.
    let text = unsafe { CStr::from_ptr(pointer) };
    text.to_str().map_err(|_| Refusal::misuse(format!("{name} is not UTF-8")))
}

/// A copy that C can read. A NUL, which only a server can have put there, becomes U+FFFD.
pub(super) fn copy(text: &str) -> CString {
    CString::new(text).unwrap_or_else(|_| CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default())
}

/// The pointer that C borrows.
pub(super) fn lend(text: Option<&CString>) -> *const c_char {
    text.map_or(std::ptr::null(), |text| text.as_ptr())
}

/// A secret that C can read. It is overwritten when its owner is freed.
pub(super) struct Exposed(CString);

impl Exposed {
    pub(super) fn new(secret: &cli_auth::Secret) -> Self {
        Self(copy(secret.expose()))
    }

    pub(super) fn lend(&self) -> *const c_char {
        self.0.as_ptr()
    }
}

impl Drop for Exposed {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

/// Texts as C likes to walk through them: an array of pointers that ends with NULL.
pub(super) struct List {
    /// What the pointers point to.
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

/// Gives a text away; [`cli_auth_string_free`] takes it back. C's own memory, as C may change what belongs to it.
pub(super) fn owned(text: &str) -> *mut c_char {
    let text = copy(text);
    // SAFETY: a text that ends with NUL.
    unsafe { libc::strdup(text.as_ptr()) }
}

/// A text of a server as it may be shown in a terminal: without control, invisible and direction characters (they become
/// U+FFFD), and cut after 2,000 characters.
///
/// What `cli_auth_error_message`, `cli_auth_error_description` and `cli_auth_prompt_text` give is sanitised already. What is
/// called raw is not.
///
/// @param text The text. Bytes that are not UTF-8 become U+FFFD.
/// @return A text, owned by the caller, for `cli_auth_string_free`; NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_sanitize(text: *const c_char) -> *mut c_char {
    if text.is_null() {
        return std::ptr::null_mut();
    }
    // SAFETY: the caller gives a text that ends with NUL.
    let text = unsafe { CStr::from_ptr(text) };
    super::entry::value(std::ptr::null_mut(), || owned(&cli_auth::sanitize(&text.to_string_lossy())))
}

/// Frees a text that this library gave away: a `char *`, never a `const char *`.
///
/// @param text The text, or NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cli_auth_string_free(text: *mut c_char) {
    // SAFETY: NULL, or it came from `owned`, and the caller gives it back once.
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
