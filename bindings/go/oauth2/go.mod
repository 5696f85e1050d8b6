module cliauth/oauth2

go 1.24.0

require (
	cliauth v0.1.0
	golang.org/x/oauth2 v0.34.0
)

// Where the packed modules lie. A program's own go.mod needs such a line as well, for each of the two.
replace cliauth => ../
