package cliauth

// #include "native.h"
import "C"

import (
	"slices"
	"time"
	"unsafe"
)

// Option is a setting of a [Client]. [New] fails with [ErrInvalidConfig] if its value is invalid.
type Option func(*settings)

// settings are the options of a client that is being created.
type settings struct {
	copier
	object *C.cli_auth_client_options
}

// copier copies the texts of options to C memory. It keeps the first error.
type copier struct{ err error }

// set passes a text to the library, which checks its value when all options are used.
func (s *copier) set(what string, call func(*C.char), text string) {
	s.setBytes(what, call, []byte(text))
}

func (s *copier) setBytes(what string, call func(*C.char), text []byte) {
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

// setPair does the same as set for a name and its value.
func (s *copier) setPair(what string, call func(name, value *C.char), name, value string) {
	s.set("name of a "+what, func(name *C.char) {
		s.set(what, func(value *C.char) { call(name, value) }, value)
	}, name)
}

// WithAPIBase sets the base URL of the WorkOS API. Defaults to https://api.workos.com. It is only for [AuthKit]: with
// any other server, [New] fails with [ErrInvalidConfig].
func WithAPIBase(url string) Option {
	return func(s *settings) {
		s.set("API base", func(url *C.char) { C.cli_auth_client_options_set_api_base(s.object, url) }, url)
	}
}

// WithDeviceAuthorizationEndpoint sets the URL of the device authorization endpoint, for a server whose metadata lacks
// it. It takes precedence over that of the metadata. It is only for [Issuer]: with any other server, [New] fails with
// [ErrInvalidConfig].
func WithDeviceAuthorizationEndpoint(url string) Option {
	return func(s *settings) {
		s.set("device authorization endpoint", func(url *C.char) {
			C.cli_auth_client_options_set_device_authorization_endpoint(s.object, url)
		}, url)
	}
}

// WithTokenEndpoint sets the URL of the token endpoint, for a server whose metadata lacks it. The rules are those of
// [WithDeviceAuthorizationEndpoint].
func WithTokenEndpoint(url string) Option {
	return func(s *settings) {
		s.set("token endpoint", func(url *C.char) {
			C.cli_auth_client_options_set_token_endpoint(s.object, url)
		}, url)
	}
}

// WithRevocationEndpoint sets the URL of the revocation endpoint (RFC 7009). It takes precedence over that of the
// metadata. It is only for [Endpoints] and [Issuer]: with any other server, [New] fails with [ErrInvalidConfig].
func WithRevocationEndpoint(url string) Option {
	return func(s *settings) {
		s.set("revocation endpoint", func(url *C.char) {
			C.cli_auth_client_options_set_revocation_endpoint(s.object, url)
		}, url)
	}
}

// WithScopes adds scopes to the device authorization request (RFC 6749 section 3.3). No scope is requested by default.
// Many servers send a refresh token only for offline_access. WorkOS AuthKit has no scopes.
func WithScopes(scopes ...string) Option {
	scopes = slices.Clone(scopes)
	return func(s *settings) {
		for _, scope := range scopes {
			s.set("scope", func(scope *C.char) { C.cli_auth_client_options_add_scope(s.object, scope) }, scope)
		}
	}
}

// WithParam adds a parameter to the device authorization request, such as audience. Do not use it for secrets. [New]
// refuses names that the protocol sets itself, and any name that is added twice except resource (RFC 8707 section 2).
func WithParam(name, value string) Option {
	return func(s *settings) {
		s.setPair("parameter", func(name, value *C.char) {
			C.cli_auth_client_options_add_param(s.object, name, value)
		}, name, value)
	}
}

// WithTokenParam adds a parameter to the token request, which is sent at every poll. Some servers require resource (RFC
// 8707 section 2) or audience here as well as in the device authorization request. The rules are those of [WithParam].
func WithTokenParam(name, value string) Option {
	return func(s *settings) {
		s.setPair("parameter", func(name, value *C.char) {
			C.cli_auth_client_options_add_token_param(s.object, name, value)
		}, name, value)
	}
}

// WithRefreshParam adds a parameter to every refresh (RFC 6749 section 6), such as resource (RFC 8707 section 2.2). A
// login does not send it. [RefreshParam] adds one to a single refresh. The rules are those of [WithParam].
func WithRefreshParam(name, value string) Option {
	return func(s *settings) {
		s.setPair("parameter", func(name, value *C.char) {
			C.cli_auth_client_options_add_refresh_param(s.object, name, value)
		}, name, value)
	}
}

// WithVerifyIDToken sets whether an ID token is verified (OpenID Connect Core section 3.1.3.7). Defaults to true. If it
// is not, its keys are not fetched, nothing in it is checked, and the Identity of [Tokens] is nil. WorkOS AuthKit
// issues no ID token.
func WithVerifyIDToken(verify bool) Option {
	return func(s *settings) { C.cli_auth_client_options_verify_id_token(s.object, C.bool(verify)) }
}

// WithHeader adds a header to every request. It is sent to every server that the settings or the metadata name. Its
// value is treated as a secret.
func WithHeader(name, value string) Option {
	return func(s *settings) {
		s.setPair("header", func(name, value *C.char) {
			C.cli_auth_client_options_add_header(s.object, name, value)
		}, name, value)
	}
}

// WithCAPEM trusts certificates in addition to those of the operating system, such as the CA of a company or a test
// server. The PEM text must hold at least one certificate and at most 4 MiB. Another WithCAPEM adds more certificates.
// A server that presents one of these certificates itself is accepted too, for example with a self-signed one.
func WithCAPEM(pem []byte) Option {
	// C needs a valid pointer even if the text is empty.
	text := append(slices.Clip(pem), 0)
	return func(s *settings) {
		start := (*C.char)(unsafe.Pointer(unsafe.SliceData(text)))
		C.cli_auth_client_options_add_ca_pem(s.object, start, C.size_t(len(text)-1))
	}
}

// WithProxy sends every request through a proxy, except requests to this machine. The URL has the scheme http, https,
// socks5h or socks4a (the proxy resolves names), socks5 or socks4 (this machine does), or socks (read as socks5h). It
// may contain a user name and a password, percent-encoded. NTLM and Negotiate are not supported. Defaults to the proxy
// that the environment names (HTTPS_PROXY, ALL_PROXY, NO_PROXY).
func WithProxy(url string) Option {
	return func(s *settings) {
		s.set("proxy", func(url *C.char) { C.cli_auth_client_options_set_proxy(s.object, url) }, url)
	}
}

// WithProduct sets the name and version of the program, such as my-cli/1.2: the first part of the User-Agent. The
// prompt shows the name.
func WithProduct(product string) Option {
	return func(s *settings) {
		s.set("product", func(product *C.char) { C.cli_auth_client_options_set_product(s.object, product) }, product)
	}
}

// ClientAuth is how a client secret is sent (RFC 6749 section 2.3.1).
type ClientAuth int

const (
	// ClientAuthAuto uses the method that the server's metadata names, otherwise client_secret_basic.
	ClientAuthAuto ClientAuth = C.CLI_AUTH_CLIENT_SECRET_AUTO
	// ClientSecretBasic is client_secret_basic: the secret is sent in an Authorization: Basic header.
	ClientSecretBasic ClientAuth = C.CLI_AUTH_CLIENT_SECRET_BASIC
	// ClientSecretPost is client_secret_post: the secret is sent in the body of the request.
	ClientSecretPost ClientAuth = C.CLI_AUTH_CLIENT_SECRET_POST
)

// WithClientSecret sets a client secret, for servers that require one. A secret in a distributed program is not
// confidential (RFC 8252 section 8.5). An auth that is none of the constants fails with [ErrMisuse].
func WithClientSecret(secret Secret, auth ClientAuth) Option {
	return func(s *settings) {
		switch auth {
		case ClientAuthAuto, ClientSecretBasic, ClientSecretPost:
			s.setBytes("client secret", func(secret *C.char) {
				C.cli_auth_client_options_set_client_secret(s.object, secret, C.int32_t(auth))
			}, secret.bytes())
			secret.keepAlive()
		default:
			if s.err == nil {
				s.err = misuse("the client authentication is %d, which is no constant of ClientAuth", auth)
			}
		}
	}
}

// PKCE is whether a login uses PKCE (RFC 7636), which binds the tokens to the program that began the login.
type PKCE int

const (
	// PKCEAuto uses PKCE if the server's metadata lists the method S256, which only a client by [Issuer] reads. If the
	// server then refuses the first request as invalid, it is sent once more without PKCE.
	PKCEAuto PKCE = C.CLI_AUTH_PKCE_AUTO
	// PKCEAlways always uses PKCE.
	PKCEAlways PKCE = C.CLI_AUTH_PKCE_ALWAYS
	// PKCENever never uses PKCE.
	PKCENever PKCE = C.CLI_AUTH_PKCE_NEVER
)

// WithPKCE sets whether a login uses PKCE. Defaults to [PKCEAuto]. A value that is none of the constants fails with
// [ErrMisuse].
func WithPKCE(pkce PKCE) Option {
	return func(s *settings) {
		switch pkce {
		case PKCEAuto, PKCEAlways, PKCENever:
			C.cli_auth_client_options_set_pkce(s.object, C.int32_t(pkce))
		default:
			if s.err == nil {
				s.err = misuse("the PKCE setting is %d, which is no constant of PKCE", pkce)
			}
		}
	}
}

// WithConnectTimeout sets the timeout for establishing a connection (DNS, TCP and TLS): more than 0 and at most 24
// hours. Defaults to 10 seconds.
func WithConnectTimeout(limit time.Duration) Option {
	return func(s *settings) { C.cli_auth_client_options_set_connect_timeout(s.object, secondsOf(limit)) }
}

// WithReadTimeout sets how long a server may send nothing within a response: more than 0 and at most 24 hours. Defaults
// to 15 seconds.
func WithReadTimeout(limit time.Duration) Option {
	return func(s *settings) { C.cli_auth_client_options_set_read_timeout(s.object, secondsOf(limit)) }
}

// WithRequestTimeout sets the timeout for a whole request: more than 0 and at most 24 hours. Defaults to 25 seconds. A
// poll that takes longer counts as lost, and the login continues.
func WithRequestTimeout(limit time.Duration) Option {
	return func(s *settings) { C.cli_auth_client_options_set_request_timeout(s.object, secondsOf(limit)) }
}

// WithLoginTimeout sets the timeout for a whole login, counted from its first step: more than 0. The login then ends
// with [ErrExpired]. By default only the lifetime of the code limits a login. A context with a deadline also ends it,
// with [ErrCancelled].
func WithLoginTimeout(limit time.Duration) Option {
	return func(s *settings) { C.cli_auth_client_options_set_login_timeout(s.object, secondsOf(limit)) }
}

// WithInsecureLoopback allows plain http to this machine (localhost and every name below it, 127.0.0.0/8, ::1).
// Defaults to false. Use it for tests and local development only.
func WithInsecureLoopback(allow bool) Option {
	return func(s *settings) { C.cli_auth_client_options_allow_insecure_loopback(s.object, C.bool(allow)) }
}
