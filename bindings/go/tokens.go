package cliauth

import "time"

// Tokens is what the server gave out (RFC 6749 section 5.1).
//
// Nothing in here was verified by this library: it came over TLS from the token endpoint, and that is all. Printing, logging
// and encoding it shows no secret.
type Tokens struct {
	// AccessToken is for the API: "Bearer " + tokens.AccessToken.Expose(), over TLS, and only to the API that it is for.
	AccessToken Secret
	// RefreshToken is for [Client.Refresh]. Zero where the server sent none: many send one only for the scope
	// offline_access. After a refresh without a new one, the old one.
	RefreshToken Secret
	// IDToken is the OpenID Connect ID token, UNVERIFIED: do not read an identity from it before you checked it.
	IDToken Secret
	// TokenType is as the server spelled it: some spelling of Bearer.
	TokenType string
	// Scopes is what was granted, in the server's order. Nil where neither the server nor the client named a scope.
	Scopes []string
	// ExpiresAt is when the access token expires, never too late by the time that the response took. Zero if the server did not
	// say: treat it neither as expired nor as valid forever.
	ExpiresAt time.Time
	// ExpiresIn is the access token's lifetime when it was given out. It says nothing where ExpiresAt is zero.
	ExpiresIn time.Duration
	// UserID is the id of the user (WorkOS AuthKit), such as user_01H…, raw. Empty with other servers.
	UserID string
	// OrganizationID is the id of the organization that the user logged in to (WorkOS AuthKit), raw.
	OrganizationID string
	// Other has every other member of the response as raw JSON: secrets, since they may be.
	Other map[string]Secret
}
