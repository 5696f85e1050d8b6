package cliauth

// #include "native.h"
import "C"

import (
	"bytes"
	"encoding/json"
	"runtime"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
	"unsafe"
)

// handle refers to an object of the library. Copies of a [Client] or a [Prompt] share their handle, and the object is
// closed when the handle is garbage collected.
type handle[P any] struct{ *native[P] }

func newHandle[P any](object P, free func(P)) *handle[P] {
	h := &handle[P]{&native[P]{object: object, free: free}}
	runtime.AddCleanup(h, (*native[P]).close, h.native)
	return h
}

// acquire returns the object, unless it is closed. The caller must call release after using it.
func (h *handle[P]) acquire() (object P, open bool) {
	defer runtime.KeepAlive(h)
	return h.native.acquire()
}

// native is an object of the library, held by a C pointer. It is freed once it is closed and no longer in use.
type native[P any] struct {
	free func(P)

	mu     sync.Mutex
	object P
	users  int
	closed bool
	freed  bool
}

func (n *native[P]) acquire() (object P, open bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.closed {
		return object, false
	}
	n.users++
	return n.object, true
}

func (n *native[P]) release() {
	n.freeIfDone(func() { n.users-- })
}

// close may be called more than once.
func (n *native[P]) close() {
	n.freeIfDone(func() { n.closed = true })
}

// freeIfDone makes a change under the lock. It frees the object outside of it, since closing connections takes time.
func (n *native[P]) freeIfDone(change func()) {
	n.mu.Lock()
	change()
	isDone := n.closed && n.users == 0 && !n.freed
	n.freed = n.freed || isDone
	n.mu.Unlock()
	if isDone {
		n.free(n.object)
	}
}

// cText is a text in C memory, for one call.
type cText struct{ bytes []byte }

// newCText copies bytes to C memory. It refuses what is not UTF-8 or contains a NUL, which C cannot represent.
func newCText(what string, text []byte) (cText, error) {
	if !utf8.Valid(text) {
		return cText{}, misuse("the %s is not UTF-8", what)
	}
	for _, b := range text {
		if b == 0 {
			return cText{}, misuse("the %s has a NUL character in it", what)
		}
	}
	size := len(text) + 1
	copied := unsafe.Slice((*byte)(C.malloc(C.size_t(size))), size)
	copied[copy(copied, text)] = 0
	return cText{copied}, nil
}

func (t cText) chars() *C.char { return (*C.char)(unsafe.Pointer(unsafe.SliceData(t.bytes))) }

// free overwrites the text first, because it may be a secret.
func (t cText) free() {
	clear(t.bytes)
	C.free(unsafe.Pointer(unsafe.SliceData(t.bytes)))
}

// secretOfChars copies a secret without leaving a string behind. NULL becomes the zero Secret.
func secretOfChars(chars *C.char) Secret {
	if chars == nil {
		return Secret{}
	}
	return secretOf(bytes.Clone(unsafe.Slice((*byte)(unsafe.Pointer(chars)), C.strlen(chars))))
}

// stringsOf reads an array that ends with NULL. It returns nil for NULL.
func stringsOf(array **C.char) []string {
	if array == nil {
		return nil
	}
	texts := []string{}
	for _, chars := range untilNil(array) {
		texts = append(texts, C.GoString(chars))
	}
	return texts
}

func secondsOf(d time.Duration) C.double { return C.double(d.Seconds()) }

// takeError reads an error of the library and frees it.
func takeError(object *C.cli_auth_error) error {
	defer C.cli_auth_error_free(object)
	e := &Error{
		Kind:                       Kind(C.GoString(C.cli_auth_error_kind(object))),
		Message:                    C.GoString(C.cli_auth_error_message(object)),
		OAuthError:                 C.GoString(C.cli_auth_error_oauth_error(object)),
		Claims:                     C.GoString(C.cli_auth_error_claims(object)),
		Description:                C.GoString(C.cli_auth_error_description(object)),
		Detail:                     C.GoString(C.cli_auth_error_detail(object)),
		HTTPStatus:                 int(C.cli_auth_error_http_status(object)),
		RequestID:                  C.GoString(C.cli_auth_error_request_id(object)),
		PendingAuthenticationToken: secretOfChars(C.cli_auth_error_expose_pending_authentication_token(object)),
	}
	var seconds C.double
	if C.cli_auth_error_retry_after(object, &seconds) {
		e.RetryAfter = durationOf(seconds)
	}
	if ids := stringsOf(C.cli_auth_error_organization_ids(object)); ids != nil {
		names := stringsOf(C.cli_auth_error_organization_names(object))
		e.Organizations = make([]Organization, len(ids))
		for i, id := range ids {
			e.Organizations[i] = Organization{ID: id, Name: names[i]}
		}
	}
	expose := func(name *C.char) *C.char { return C.cli_auth_error_expose_member(object, name) }
	if members := membersOf(C.cli_auth_error_member_names(object), expose, secretOfChars); len(members) > 0 {
		e.Members = members
	}
	return e
}

// membersOf reads the members of a JSON object, given by their names and a function that returns the text of one.
func membersOf[T any](names **C.char, expose func(name *C.char) *C.char, read func(text *C.char) T) map[string]T {
	members := map[string]T{}
	if names == nil {
		return members
	}
	for _, name := range untilNil(names) {
		// A name with a NUL, which C cannot represent, is not found.
		if text := expose(name); text != nil {
			members[C.GoString(name)] = read(text)
		}
	}
	return members
}

// identityOf copies an identity. NULL becomes nil.
func identityOf(object *C.cli_auth_identity) *Identity {
	if object == nil {
		return nil
	}
	claim := func(name *C.char) *C.char { return C.cli_auth_identity_claim(object, name) }
	raw := func(text *C.char) json.RawMessage { return json.RawMessage(C.GoString(text)) }
	identity := &Identity{
		Subject:        C.GoString(C.cli_auth_identity_subject(object)),
		Email:          C.GoString(C.cli_auth_identity_email(object)),
		Name:           C.GoString(C.cli_auth_identity_name(object)),
		OrganizationID: C.GoString(C.cli_auth_identity_organization_id(object)),
		Claims:         membersOf(C.cli_auth_identity_claim_names(object), claim, raw),
	}
	var verified C.bool
	if C.cli_auth_identity_email_verified(object, &verified) {
		isVerified := bool(verified)
		identity.EmailVerified = &isVerified
	}
	return identity
}

// takeTokens reads tokens of the library and frees them.
func takeTokens(object *C.cli_auth_tokens) *Tokens {
	defer C.cli_auth_tokens_free(object)
	other := func(name *C.char) *C.char { return C.cli_auth_tokens_expose_other(object, name) }
	tokens := &Tokens{
		AccessToken:  secretOfChars(C.cli_auth_tokens_expose_access_token(object)),
		RefreshToken: secretOfChars(C.cli_auth_tokens_expose_refresh_token(object)),
		IDToken:      secretOfChars(C.cli_auth_tokens_expose_id_token(object)),
		TokenType:    C.GoString(C.cli_auth_tokens_token_type(object)),
		Scopes:       stringsOf(C.cli_auth_tokens_scopes(object)),
		Identity:     identityOf(C.cli_auth_tokens_identity(object)),
		Other:        membersOf(C.cli_auth_tokens_other_names(object), other, secretOfChars),
	}
	var seconds C.double
	if C.cli_auth_tokens_expires_in(object, &seconds) {
		tokens.ExpiresIn, tokens.ExpiresAt = durationOf(seconds), latest
	}
	if C.cli_auth_tokens_expires_at(object, &seconds) {
		tokens.ExpiresAt = timeOf(seconds)
	}
	return tokens
}

// Sanitize makes a text from a server safe to show in a terminal. Tabs and line breaks become spaces. A run of other
// control characters, invisible characters and direction marks becomes one U+FFFD. White space at the start and the end
// is removed. A text of more than 400 characters is cut after 400 and marked with an ellipsis (…).
func Sanitize(text string) string {
	replaced := strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
	copied, err := newCText("text", []byte(replaced))
	if err != nil {
		return ""
	}
	defer copied.free()
	clean := C.cli_auth_sanitize(copied.chars())
	defer C.cli_auth_string_free(clean)
	return C.GoString(clean)
}

// Version returns the version of the library that is linked.
func Version() string { return C.GoString(C.cli_auth_version()) }
