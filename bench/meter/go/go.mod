module meter

go 1.24

require cliauth v0.1.0

// The unpacked module. The module in the source tree lacks the library.
replace cliauth => ../../../bindings/go
