package cliauth

import "time"

// Tokens are the tokens that the server issued (RFC 6749 section 5.1).
//
// Who logged in is the Identity. The access token is for its API, and this package does not look into it. Printing,
// logging and encoding them shows no secret.
type Tokens struct {
	// AccessToken is the access token. Send "Bearer " + tokens.AccessToken.Expose() over TLS, and only to the API that
	// it was issued for.
	AccessToken Secret
	// RefreshToken is the token for [Client.Refresh]. It is zero if the server sent none: many servers send one only
	// for the scope offline_access. If a refresh brought no new refresh token, this is the old one.
	RefreshToken Secret
	// IDToken is the OpenID Connect ID token as it was received. It was verified if there is an Identity and the server
	// is not AuthKit.
	IDToken Secret
	// TokenType is the token type as the server spelled it: Bearer in upper or lower case.
	TokenType string
	// Scopes are the granted scopes, in the server's order. If the server named none, these are the scopes
	// that were requested. It is nil if neither the server nor the client named a scope.
	Scopes []string
	// ExpiresAt is when the access token expires. It is not too late by the duration of the request. It is zero if the
	// lifetime is unknown: treat the token neither as expired nor as valid forever.
	ExpiresAt time.Time
	// ExpiresIn is the lifetime of the access token, counted from its issue. It has no meaning if ExpiresAt is zero.
	ExpiresIn time.Duration
	// Identity is the user who logged in. It is nil if the server did not say, or if its ID token was not verified.
	//
	// With [AuthKit], this is the user of the response. With [Issuer] and [WorkOSConnect], it is the verified ID token,
	// which servers issue for the scope openid. If the keys for it could not be fetched, the event [IdentityUnverified]
	// came before the tokens. With [Endpoints], nothing is known about the keys.
	Identity *Identity
	// Other holds every other member of the response as raw JSON. They are secrets because some of them may be.
	Other map[string]Secret
}
