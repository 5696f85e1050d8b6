//! Links the core's UniFFI surface into a shared library. What it exports is in `src/ffi/uniffi` of the core.

cli_auth::uniffi_reexport_scaffolding!();
