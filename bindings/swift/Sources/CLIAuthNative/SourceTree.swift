// In the packed package the module that UniFFI writes stands here instead.
#error("this is the source tree, without the generated module and the library: `cargo xtask package swift` makes the package")
