module login-example

go 1.24.0

require (
	cliauth v0.1.0
	golang.org/x/term v0.38.0
)

require golang.org/x/sys v0.39.0 // indirect

// The directory of the unpacked module. In the source tree it does not contain the library.
replace cliauth => ../../bindings/go
