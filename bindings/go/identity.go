package cliauth

import (
	"encoding/json"
	"fmt"
)

// Identity is the user who logged in, as the server vouches for it. With WorkOS AuthKit, this is the user in the token
// response. With an OpenID Connect server, it is the verified ID token (OpenID Connect Core section 3.1.3.7), or the
// response of [Client.UserInfo]. There is no identity that was not verified.
//
// Identify the user by Subject. All text is raw: pass it to [Sanitize] before you print it. Printing and logging an
// Identity and encoding it as JSON shows the subject and no other personal data.
type Identity struct {
	// Subject is the id of the user, which never changes: sub of OpenID Connect, or the id of AuthKit's user, such as
	// user_01H…. It is unique at this server only.
	Subject string
	// Email is the e-mail address. It may change, and may belong to another user later: do not identify the user by it.
	// It is empty if the server did not name it. OpenID Connect servers name it only if the scope email was requested.
	Email string
	// EmailVerified is whether the server has verified that the e-mail address is the user's. It is nil if the server
	// does not say.
	EmailVerified *bool
	// Name is the full name. It is empty if the server did not name it. OpenID Connect servers name it only if the scope
	// profile was requested.
	Name string
	// OrganizationID is the id of the organization that the user logged in to: the organization_id of AuthKit, or the
	// claim org_id. It is empty if there is none.
	OrganizationID string
	// Claims holds all claims, or all members of AuthKit's user, as raw JSON.
	Claims map[string]json.RawMessage
}

// String returns a text with the subject only, quoted.
func (i Identity) String() string { return fmt.Sprintf("cliauth.Identity{Subject:%q}", i.Subject) }

// GoString does the same as [Identity.String], for %#v.
func (i Identity) GoString() string { return i.String() }

// Format writes the text of [Identity.String], whatever the verb.
func (i Identity) Format(f fmt.State, _ rune) { _, _ = fmt.Fprint(f, i.String()) }

// MarshalJSON returns an object with the subject only, and so log/slog writes it. To store more of an identity, copy
// the fields.
func (i Identity) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct{ Subject string }{i.Subject})
}
