//go:build cgo && linux && amd64

// Package linux_amd64 links the library that is part of the module cliauth. It is a package so that `go mod vendor`
// copies its directory.
package linux_amd64

/*
#cgo CFLAGS: -I${SRCDIR}
#cgo LDFLAGS: ${SRCDIR}/libcli_auth.a -lm -ldl -lpthread

#if !__has_include(<libcli_auth.a>)
#error "cliauth: this is the source tree, without the library: use the packed module, or install the C library and build with -tags cliauth_system"
#endif
*/
import "C"
