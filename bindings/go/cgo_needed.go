//go:build !cgo

package cliauth

// This package needs cgo. Without it, the compiler reports this name.
var _ = cliauth_needs_CGO_ENABLED_1_and_a_C_compiler
