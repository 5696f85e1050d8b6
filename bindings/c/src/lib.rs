//! Links the core's C surface into a library. What it exports is in `src/ffi/c` of the core.

// Named, so that it is linked.
use cli_auth as _;
