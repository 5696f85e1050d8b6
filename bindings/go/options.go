package cliauth

// #include "native.h"
import "C"

import (
	"time"
	"unsafe"
)

// Option is a setting of a [Client]. [New] fails with [ErrInvalidConfig] where the value of one is wrong.
type Option func(*settings)

// settings are the options of a client that is being made. The first error stays.
type settings struct {
	object *C.cli_auth_client_options
	err    error
}

// set passes a text to the library, which checks its value when the client is made.
func (s *settings) set(what string, call func(*C.char), text string) {
	s.setBytes(what, call, []byte(text))
}

func (s *settings) setBytes(what string, call func(*C.char), text []byte) {
	if s.err != nil {
		return
	}
	copied, err := newCText(what, text)
	if err != nil {
		s.err = err
		return
	}
	defer copied.free()
	call(copied.chars())
}

// setPair is set for a name and its value.
func (s *settings) setPair(what string, call func(name, value *C.char), name, value string) {
	s.set("name of a "+what, func(name *C.char) {
		s.set(what, func(value *C.char) { call(name, value) }, value)
	}, name)
}

// WithAPIBase is another address of WorkOS's API, such as that of a test server. For [AuthKit] only.
func WithAPIBase(url string) Option {
	return func(s *settings) {
		s.set("API base", func(url *C.char) { C.cli_auth_client_options_set_api_base(s.object, url) }, url)
	}
}

// WithRevocationEndpoint says where tokens are revoked (RFC 7009). For [Endpoints] only.
func WithRevocationEndpoint(url string) Option {
	return func(s *settings) {
		s.set("revocation endpoint", func(url *C.char) {
			C.cli_auth_client_options_set_revocation_endpoint(s.object, url)
		}, url)
	}
}

// WithScopes asks for scopes (RFC 6749 section 3.3), added to those of earlier options. None is asked for by itself: refresh
// tokens often need offline_access. WorkOS AuthKit knows no scopes.
func WithScopes(scopes ...string) Option {
	return func(s *settings) {
		for _, scope := range scopes {
			s.set("scope", func(scope *C.char) { C.cli_auth_client_options_add_scope(s.object, scope) }, scope)
		}
	}
}

// WithParam is an extra parameter of the device authorization request, such as audience. Not for secrets.
func WithParam(name, value string) Option {
	return func(s *settings) {
		s.setPair("parameter", func(name, value *C.char) {
			C.cli_auth_client_options_add_param(s.object, name, value)
		}, name, value)
	}
}

// WithHeader is an extra header of every request, to every server that the settings or the metadata name. Its value counts as
// a secret.
func WithHeader(name, value string) Option {
	return func(s *settings) {
		s.setPair("header", func(name, value *C.char) {
			C.cli_auth_client_options_add_header(s.object, name, value)
		}, name, value)
	}
}

// WithCAPEM trusts certificates beside those of the operating system: a company's CA, a test server's. At most 4 MiB.
func WithCAPEM(pem []byte) Option {
	return func(s *settings) {
		// C is shown a place even where there is nothing.
		start := unsafe.SliceData(append(pem[:len(pem):len(pem)], 0))
		C.cli_auth_client_options_add_ca_pem(s.object, (*C.char)(unsafe.Pointer(start)), C.size_t(len(pem)))
	}
}

// WithProxy names the http:// or https:// proxy of every request but those to this machine. Without it, HTTPS_PROXY, ALL_PROXY
// and NO_PROXY are honoured.
func WithProxy(url string) Option {
	return func(s *settings) {
		s.set("proxy", func(url *C.char) { C.cli_auth_client_options_set_proxy(s.object, url) }, url)
	}
}

// WithProduct names the program, such as my-cli/1.2: the first part of the User-Agent. The name is shown in the prompt.
func WithProduct(product string) Option {
	return func(s *settings) {
		s.set("product", func(product *C.char) { C.cli_auth_client_options_set_product(s.object, product) }, product)
	}
}

// ClientAuth is how a client secret is sent (RFC 6749 section 2.3.1).
type ClientAuth int

const (
	// ClientSecretAuto: as the server's metadata says, else client_secret_basic.
	ClientSecretAuto ClientAuth = C.CLI_AUTH_CLIENT_SECRET_AUTO
	// ClientSecretBasic is client_secret_basic: in an Authorization: Basic header.
	ClientSecretBasic ClientAuth = C.CLI_AUTH_CLIENT_SECRET_BASIC
	// ClientSecretPost is client_secret_post: in the body of the request.
	ClientSecretPost ClientAuth = C.CLI_AUTH_CLIENT_SECRET_POST
)

// WithClientSecret is for servers that insist on a client secret. A secret in a program that others run is not confidential.
func WithClientSecret(secret Secret, auth ClientAuth) Option {
	return func(s *settings) {
		s.setBytes("client secret", func(secret *C.char) {
			C.cli_auth_client_options_set_client_secret(s.object, secret, C.int32_t(auth))
		}, secret.bytes())
		secret.keepAlive()
	}
}

// WithConnectTimeout is the timeout for establishing a connection (DNS, TCP and TLS). Defaults to 10 seconds.
func WithConnectTimeout(limit time.Duration) Option {
	return func(s *settings) { C.cli_auth_client_options_set_connect_timeout(s.object, secondsOf(limit)) }
}

// WithReadTimeout is how long a server may be silent within a response. Defaults to 15 seconds.
func WithReadTimeout(limit time.Duration) Option {
	return func(s *settings) { C.cli_auth_client_options_set_read_timeout(s.object, secondsOf(limit)) }
}

// WithRequestTimeout is how long one request may take in all. Defaults to 25 seconds. A poll that takes longer counts as lost,
// and the login goes on.
func WithRequestTimeout(limit time.Duration) Option {
	return func(s *settings) { C.cli_auth_client_options_set_request_timeout(s.object, secondsOf(limit)) }
}

// WithLoginTimeout is how long a whole login may take, from its first step. Then it ends with [ErrExpired]. A context with a
// deadline ends it as well, with [ErrCancelled].
func WithLoginTimeout(limit time.Duration) Option {
	return func(s *settings) { C.cli_auth_client_options_set_login_timeout(s.object, secondsOf(limit)) }
}

// AllowInsecureLoopback allows plain http to this machine. For tests and local development only.
func AllowInsecureLoopback(allow bool) Option {
	return func(s *settings) { C.cli_auth_client_options_allow_insecure_loopback(s.object, C.bool(allow)) }
}
