module peers

go 1.26.0

require (
	github.com/cli/oauth v1.2.2
	golang.org/x/oauth2 v0.37.0
)
