//go:build cgo && !cliauth_system && linux && amd64

package cliauth

// #cgo CFLAGS: -I${SRCDIR}/lib/linux_amd64
import "C"

// The library that is part of this module.
import _ "cliauth/lib/linux_amd64"
