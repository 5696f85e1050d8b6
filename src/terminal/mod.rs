//! What a person sees: the prompt as text, and their browser.

pub(crate) mod browser;
pub(crate) mod text;

pub use browser::Launch;
pub use text::TextStyle;
