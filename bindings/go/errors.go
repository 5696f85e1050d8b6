package cliauth

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Kind says what the caller should do next, as a word that is the same in every language. A Kind is an error itself, so
// that errors.Is(err, cliauth.ErrDenied) works. New versions may add kinds.
type Kind string

const (
	// ErrDenied means that the user denied the request. Do not start another login unless the user asks for one.
	ErrDenied Kind = "denied"
	// ErrExpired means that the code expired, or that the login timeout of the client passed. Start another login when
	// the user asks for one.
	ErrExpired Kind = "expired"
	// ErrCancelled means that the login was cancelled, or that the context of the call ended.
	ErrCancelled Kind = "cancelled"
	// ErrActionRequired means that the server requires a step that only the user can take in a browser, such as
	// choosing an organization or enrolling a second factor.
	ErrActionRequired Kind = "action_required"
	// ErrLoginRequired means that the refresh token is no longer valid: it was used, has expired or was revoked. The user
	// must log in again.
	ErrLoginRequired Kind = "login_required"
	// ErrRejected means that the server refuses this client or this request, for example because the client id is
	// wrong or the device flow is not enabled. Repeating the request does not help.
	ErrRejected Kind = "rejected"
	// ErrUnsupported means that the server does not support the operation.
	ErrUnsupported Kind = "unsupported"
	// ErrNetwork means that the server could not be reached, or reported that it cannot respond now. Try again later.
	ErrNetwork Kind = "network"
	// ErrTLS means that no secure connection could be established: the server's certificate was refused, the TLS
	// handshake failed, or this machine has no trusted roots. Check the clock, the host name and the trusted roots.
	ErrTLS Kind = "tls"
	// ErrProxy means that the proxy cannot be used: its setting is invalid, it could not be reached, or it refused the
	// connection. Check the setting.
	ErrProxy Kind = "proxy"
	// ErrInvalidResponse means that the server sent a response that the standards do not allow. Nothing in it was used.
	ErrInvalidResponse Kind = "invalid_response"
	// ErrInvalidConfig means that a setting of the client or an option of a call is invalid. Nothing was sent.
	ErrInvalidConfig Kind = "invalid_config"
	// ErrStore means that a session could not be read or written. No function of this version returns it.
	ErrStore Kind = "store"
	// ErrMisuse means that a call is invalid: Poll before Start, a call after Close, a nil context, a zero [Client], a
	// text that is not UTF-8 or contains a NUL character, or a constant that does not exist. Nothing was sent.
	ErrMisuse Kind = "misuse"
	// ErrForked means that the process was forked after this login was created or this request was sent.
	ErrForked Kind = "forked"
	// ErrBusy means that another call is driving this login or waiting for this request. It may be the call whose callback
	// is running.
	ErrBusy Kind = "busy"
	// ErrInternal means that there is a bug in this library or a lack of system resources.
	ErrInternal Kind = "internal"
)

// Error returns the word.
func (k Kind) Error() string { return string(k) }

// ErrClosed is the error that errors.Is matches after a call on a closed [Client] or [Login].
var ErrClosed = errors.New("cliauth: used after Close")

// Organization is an organization that the user may choose, as WorkOS names it.
type Organization struct {
	// ID is an identifier such as org_01H…. It is raw: pass it to [Sanitize] before you print it.
	ID string
	// Name is the display name. It is raw: pass it to [Sanitize] before you print it.
	Name string
}

// Error is why a login, a refresh, a revocation or a userinfo request failed.
type Error struct {
	// Kind says what to do next.
	Kind Kind
	// Message is a sentence for the user: what happened and what to do next. It contains no secret. What came from the
	// server is sanitised.
	Message string
	// OAuthError is the server's error code as it was sent (RFC 6749 section 5.2), or the code of WorkOS. It is raw:
	// pass it to [Sanitize] before you print it. It is empty if there was none.
	OAuthError string
	// Description is the server's description of the error, sanitised. Message already contains it.
	Description string
	// Detail is the technical cause in the words of the operating system, TLS or HTTP, sanitised, such as "Connection
	// refused (os error 111)". Message does not contain it. It is empty if there is nothing to add.
	Detail string
	// HTTPStatus is the HTTP status of the response that caused the error, or 0 if there was no response.
	HTTPStatus int
	// RequestID is the server's identifier of the request, sanitised. Include it when you contact the server's support.
	RequestID string
	// RetryAfter is how long the server asked to wait before the next request, or 0. It is as long as the server sent
	// it, so the caller should limit it.
	RetryAfter time.Duration
	// Claims is the claims challenge of a server such as Microsoft Entra ID, if it came with [ErrActionRequired]. Pass it
	// to a new login as the extra parameter claims of both requests. It is raw: pass it to [Sanitize] before you print
	// it.
	Claims string
	// Organizations are the organizations to choose from, if the server named them with [ErrActionRequired]. It is nil
	// if the server named none.
	Organizations []Organization
	// PendingAuthenticationToken is the secret with which a server-side component can complete the required step at
	// WorkOS. Completing it needs an API key, which a program on a user's machine must not have: let the user log in
	// again.
	PendingAuthenticationToken Secret
	// Members holds every member of the server's response as raw JSON, by its raw name. They are secrets because some of
	// them may be. It is nil if the response is not a JSON object or there was none.
	Members map[string]Secret

	causes []error
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the kind and, if a context ended the call, the error of the context and its cause.
func (e *Error) Unwrap() []error { return append([]error{e.Kind}, e.causes...) }

// misuse returns the error of an invalid call.
func misuse(format string, args ...any) *Error {
	return &Error{Kind: ErrMisuse, Message: fmt.Sprintf(format, args...)}
}

func errNilContext() *Error { return misuse("the context is nil") }

func closed(what string) *Error {
	return &Error{Kind: ErrMisuse, Message: "the " + what + " is used after Close", causes: []error{ErrClosed}}
}

// withCause adds the error of a context and its cause to the error of a call that the context ended.
func withCause(ctx context.Context, err error) error {
	e, ok := err.(*Error)
	if !ok || e.Kind != ErrCancelled || ctx.Err() == nil {
		return err
	}
	cause := context.Cause(ctx)
	if cause == nil {
		// A context of the program's own, whose parent has not ended.
		cause = ctx.Err()
	}
	if cause != context.Canceled {
		e.Message += ": " + cause.Error()
	}
	e.causes = append(e.causes, ctx.Err(), cause)
	return e
}
