module meter

go 1.24

require cliauth v0.1.0

// Where the packed module is unpacked. In the source tree there is no library beside it.
replace cliauth => ../../../bindings/go
