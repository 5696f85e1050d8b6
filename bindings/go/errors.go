package cliauth

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Kind is what the caller does next, as a word that is the same in every language. The kinds are errors themselves, so that
// errors.Is(err, cliauth.ErrDenied) finds them; a new version may bring new ones.
type Kind string

const (
	// ErrDenied: the user denied the request. Do not start another login unless the user asks for one.
	ErrDenied Kind = "denied"
	// ErrExpired: the code, or the time that the program allowed, ran out. Start again when the user wants to.
	ErrExpired Kind = "expired"
	// ErrCancelled: the login was cancelled, or its context ended.
	ErrCancelled Kind = "cancelled"
	// ErrActionRequired: the server wants something first that only the user can do in a browser (choose an organization,
	// enrol a second factor, …).
	ErrActionRequired Kind = "action_required"
	// ErrRejected: the server refuses this client or this request: a wrong client id, a refresh token that is used up, the
	// device flow not switched on. Trying again changes nothing.
	ErrRejected Kind = "rejected"
	// ErrUnsupported: the server does not offer what was asked for.
	ErrUnsupported Kind = "unsupported"
	// ErrNetwork: the server was not reached, or said that it cannot answer now. Try again later.
	ErrNetwork Kind = "network"
	// ErrTLS: no secure connection, since the server's certificate was refused. Check the clock, the name and the trusted
	// roots.
	ErrTLS Kind = "tls"
	// ErrInvalidResponse: the server sent a response that the standards do not allow. Nothing in it was used.
	ErrInvalidResponse Kind = "invalid_response"
	// ErrInvalidConfig: a setting of the client is wrong. Nothing was sent.
	ErrInvalidConfig Kind = "invalid_config"
	// ErrMisuse: a call that makes no sense: Poll before Start, a call after Close, a text that is not UTF-8 or has a NUL
	// character in it, a constant that does not exist. Nothing was sent.
	ErrMisuse Kind = "misuse"
	// ErrForked: the process was forked after this login was made.
	ErrForked Kind = "forked"
	// ErrBusy: another call drives this login at the moment, perhaps the one whose callback this is.
	ErrBusy Kind = "busy"
	// ErrInternal: a defect of this library, or a want of system resources.
	ErrInternal Kind = "internal"
)

// Error returns the word.
func (k Kind) Error() string { return string(k) }

// ErrClosed is found by errors.Is in the error of a call on a [Client] or [Login] that was closed.
var ErrClosed = errors.New("cliauth: used after Close")

// Organization is one that a user may choose, as WorkOS names it.
type Organization struct {
	// ID is such as org_01H…, raw: [Sanitize] it before printing.
	ID string
	// Name is for people, raw: [Sanitize] it before printing.
	Name string
}

// Error is why a login, a refresh or a revocation did not succeed.
type Error struct {
	// Kind says what to do next.
	Kind Kind
	// Message is a sentence for the user: what happened and what to do next. It holds no secret, and what
	// came from the server in it is sanitised.
	Message string
	// OAuthError is the server's error code as it came (RFC 6749 section 5.2), or WorkOS's code. Raw: [Sanitize] it before
	// printing. Empty if there was none.
	OAuthError string
	// Description is the server's own words, sanitised. Message holds them already.
	Description string
	// HTTPStatus is that of the response that ended it, or 0.
	HTTPStatus int
	// RequestID is the server's name for the request, sanitised: what its support will ask for.
	RequestID string
	// RetryAfter is how long the server asked to wait before the next request, or 0. As long as it said: cap it.
	RetryAfter time.Duration
	// Organizations are those to choose from, when the server named them with [ErrActionRequired]. Nil: it named none.
	Organizations []Organization
	// PendingAuthenticationToken is WorkOS's secret with which a server-side component can complete the step. Completing it
	// needs an API key, which a program on a user's machine must not have: let the user log in again.
	PendingAuthenticationToken Secret

	causes []error
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the kind and, where a context ended the call, the context's error and its cause.
func (e *Error) Unwrap() []error { return append([]error{e.Kind}, e.causes...) }

// misuse is the error of a call that makes no sense.
func misuse(format string, args ...any) *Error {
	return &Error{Kind: ErrMisuse, Message: fmt.Sprintf(format, args...)}
}

func closed(what string) *Error {
	return &Error{Kind: ErrMisuse, Message: "the " + what + " is used after Close", causes: []error{ErrClosed}}
}

// withCause adds a context's error and its cause to the error of a call that it ended.
func withCause(ctx context.Context, err error) error {
	e, ok := err.(*Error)
	if !ok || e.Kind != ErrCancelled || ctx.Err() == nil {
		return err
	}
	cause := context.Cause(ctx)
	if cause != context.Canceled {
		e.Message += ": " + cause.Error()
	}
	e.causes = append(e.causes, ctx.Err(), cause)
	return e
}
