//! What a test tells the server to answer instead of what it would.

mod apply;
mod placeholders;
mod step;
mod track;

pub(crate) use apply::{Scripted, Start, apply, starts_from};
pub(crate) use placeholders::{Placeholders, fill, fill_json};
pub(crate) use step::{ConnectionStep, Step};
pub(crate) use track::Script;
