//! What the user sees: the prompt as text, and the browser.

mod browser;
mod text;

pub use browser::Launch;
