//go:build !cgo

package cliauth

// Without cgo there is nothing to call. The compiler says so by this name.
var _ = cliauth_needs_CGO_ENABLED_1_and_a_C_compiler
