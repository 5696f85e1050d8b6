/* What bench/floor/src/shared.rs exports. */
const char *floor_step(const char *words);
