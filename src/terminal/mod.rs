//! Terminal output: the prompt as text, and the browser.

mod browser;
mod text;

pub use browser::Launch;
