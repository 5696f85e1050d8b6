module login-example

go 1.24

require cliauth v0.1.0

// The directory of the unpacked module. In the source tree it does not contain the library.
replace cliauth => ../../bindings/go
