//go:build cgo && cliauth_system

package cliauth

// #cgo CFLAGS: -DCLIAUTH_SYSTEM
// #cgo pkg-config: cli-auth
import "C"
