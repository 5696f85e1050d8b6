//! Builds `bench/floor`, the lower bound for comparison, as a program and as libraries for other languages.

use std::path::PathBuf;

use super::checkout::Checkout;

/// The libraries, which other languages call by one C function.
#[derive(Debug)]
pub(super) struct Libraries {
    pub(super) shared: PathBuf,
    pub(super) archive: PathBuf,
}

/// Builds the program.
pub(super) fn program(checkout: &Checkout) -> anyhow::Result<PathBuf> {
    checkout.build("floor")
}

/// Builds the libraries.
pub(super) fn libraries(checkout: &Checkout) -> anyhow::Result<Libraries> {
    let directory = checkout.build_libraries("floor")?;
    Ok(Libraries { shared: directory.join("libfloor.so"), archive: directory.join("libfloor.a") })
}
