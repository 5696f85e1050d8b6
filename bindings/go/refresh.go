package cliauth

// #include "native.h"
import "C"

import "slices"

// RefreshOption is what a single refresh asks for besides new tokens. [Client.Refresh] fails with [ErrInvalidConfig] if
// its value is invalid. Nothing was sent then.
type RefreshOption func(*refreshSettings)

// refreshSettings are the options of one refresh.
type refreshSettings struct {
	copier
	object *C.cli_auth_refresh_options
}

// RefreshScopes asks for an access token with these scopes only. The user must have granted them (RFC 6749 section 6).
// By default the new token has all scopes that were granted.
func RefreshScopes(scopes ...string) RefreshOption {
	scopes = slices.Clone(scopes)
	return func(s *refreshSettings) {
		for _, scope := range scopes {
			s.set("scope", func(scope *C.char) { C.cli_auth_refresh_options_add_scope(s.object, scope) }, scope)
		}
	}
}

// RefreshParam adds a parameter to the request, such as resource (RFC 8707 section 2.2) or the organization_id of
// WorkOS. It replaces those of [WithRefreshParam] with the same name. The rules are those of [WithParam].
func RefreshParam(name, value string) RefreshOption {
	return func(s *refreshSettings) {
		s.setPair("parameter", func(name, value *C.char) {
			C.cli_auth_refresh_options_add_param(s.object, name, value)
		}, name, value)
	}
}

// RefreshSubject sets the user that the tokens must be for: the Subject of the login's [Identity]. If the response
// identifies another user, the refresh fails with [ErrInvalidResponse] (OpenID Connect Core section 12.2). An empty
// subject is not known and allows every user, as without this option.
func RefreshSubject(subject string) RefreshOption {
	return func(s *refreshSettings) {
		if subject != "" {
			s.set("subject", func(subject *C.char) {
				C.cli_auth_refresh_options_set_subject(s.object, subject)
			}, subject)
		}
	}
}
