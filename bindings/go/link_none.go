//go:build cgo && !cliauth_system && !(linux && amd64)

package cliauth

// #error "cliauth: this module carries no library for this platform: install the C library and build with -tags cliauth_system"
import "C"
