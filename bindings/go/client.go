package cliauth

// #include "native.h"
import "C"

import (
	"context"
	"sync"
	"time"
)

// Server is the authorization server of a [Client]. [AuthKit], [WorkOSConnect], [Issuer] and [Endpoints] return one.
type Server struct {
	texts []namedText
	// options makes the options of the C library from the texts, which are in C memory.
	options func(texts []*C.char) *C.cli_auth_client_options
}

// namedText is a text and its name in error messages.
type namedText struct{ name, text string }

// AuthKit returns the WorkOS AuthKit server of an environment, given by its client id.
func AuthKit(clientID string) Server {
	return Server{
		[]namedText{{"client id", clientID}},
		func(texts []*C.char) *C.cli_auth_client_options { return C.cli_auth_client_options_authkit(texts[0]) },
	}
}

// WorkOSConnect returns the WorkOS Connect server of an AuthKit domain, such as acme.authkit.app, with or without
// https://. The client id is that of the application.
func WorkOSConnect(domain, clientID string) Server {
	return Server{
		[]namedText{{"domain", domain}, {"client id", clientID}},
		func(texts []*C.char) *C.cli_auth_client_options {
			return C.cli_auth_client_options_workos_connect(texts[0], texts[1])
		},
	}
}

// Issuer returns any server that publishes its metadata (RFC 8414, then OpenID Connect Discovery). The issuer must be
// written exactly as the server writes it. The metadata is fetched when it is first needed.
func Issuer(issuer, clientID string) Server {
	return Server{
		[]namedText{{"issuer", issuer}, {"client id", clientID}},
		func(texts []*C.char) *C.cli_auth_client_options {
			return C.cli_auth_client_options_for_issuer(texts[0], texts[1])
		},
	}
}

// Endpoints returns any server, given by its device authorization endpoint and its token endpoint.
func Endpoints(deviceAuthorization, token, clientID string) Server {
	return Server{
		[]namedText{
			{"device authorization endpoint", deviceAuthorization}, {"token endpoint", token}, {"client id", clientID},
		},
		func(texts []*C.char) *C.cli_auth_client_options {
			return C.cli_auth_client_options_with_endpoints(texts[0], texts[1], texts[2])
		},
	}
}

// Client holds the settings for one authorization server. Several goroutines may use it at once. [New] returns one; a
// zero or nil Client fails with [ErrMisuse].
type Client struct {
	native *handle[*C.cli_auth_client]
	limits *limits
}

// acquire returns the native client. The caller must release c.native after using it.
func (c *Client) acquire() (*C.cli_auth_client, error) {
	if c == nil || c.native == nil {
		return nil, misuse("the client must come from New")
	}
	client, open := c.native.acquire()
	if !open {
		return nil, closed("client")
	}
	return client, nil
}

// New returns a client of a server. It checks every setting and does no I/O. An option that is nil changes nothing.
func New(server Server, options ...Option) (*Client, error) {
	if server.options == nil {
		return nil, misuse("the server must come from AuthKit, WorkOSConnect, Issuer or Endpoints")
	}
	var chars []*C.char
	for _, text := range server.texts {
		copied, err := newCText(text.name, []byte(text.text))
		if err != nil {
			return nil, err
		}
		defer copied.free()
		chars = append(chars, copied.chars())
	}
	s := settings{object: server.options(chars)}
	defer C.cli_auth_client_options_free(s.object)
	for _, option := range options {
		if option != nil {
			option(&s)
		}
	}
	if s.err != nil {
		return nil, s.err
	}
	var failure *C.cli_auth_error
	object := C.cli_auth_client_new(s.object, &failure)
	if object == nil {
		return nil, takeError(failure)
	}
	return &Client{
		native: newHandle(object, func(object *C.cli_auth_client) { C.cli_auth_client_free(object) }),
		limits: newLimits(),
	}, nil
}

// Close frees the memory of the client and closes its connections. Logins and requests that were created from the
// client stay usable. New ones fail with [ErrClosed]. Close always returns nil, and a second call does nothing. A
// client that is not closed is freed when it is garbage collected.
func (c *Client) Close() error {
	if c != nil && c.native != nil {
		c.native.close()
	}
	return nil
}

// Refresh exchanges a refresh token for new tokens (RFC 6749 section 6). It sends one request, after discovery where
// that is needed, and never repeats it. If the response has an ID token, it is verified, for which the keys of the
// server may have to be fetched. The options ask for more than new tokens. An option that is nil changes nothing.
//
// Many servers, including WorkOS, invalidate the refresh token that was sent. Store the new RefreshToken before you do
// anything else, and never refresh the same token from two processes at once. If ctx ends during the call, the token
// may have been used.
//
// After [ErrLoginRequired] or [ErrActionRequired], the user must log in again. After [ErrNetwork], keep the token and
// try again; it may have been used if the response was lost. [ErrInvalidResponse] may mean that the ID token was
// refused or is about another user; the refresh token has then probably been used. An empty token fails with
// [ErrInvalidConfig].
func (c *Client) Refresh(ctx context.Context, refreshToken Secret, options ...RefreshOption) (*Tokens, error) {
	s := refreshSettings{object: C.cli_auth_refresh_options_new()}
	defer C.cli_auth_refresh_options_free(s.object)
	for _, option := range options {
		if option != nil {
			option(&s)
		}
	}
	if s.err != nil {
		return nil, s.err
	}
	var tokens *Tokens
	err := c.request(ctx, "refresh token", refreshToken,
		func(client *C.cli_auth_client, token *C.char, failure **C.cli_auth_error) *C.cli_auth_request {
			return C.cli_auth_client_begin_refresh(client, token, s.object, failure)
		},
		func(_ *C.cli_auth_request, found *C.cli_auth_tokens) { tokens = takeTokens(found) })
	return tokens, err
}

// UserInfo asks the server who the user of an access token is (OpenID Connect Core section 5.3). It sends one request,
// after discovery where that is needed. The access token must have been issued for the scope openid.
//
// The subject is that of the login's [Identity]: a response about another user fails with [ErrInvalidResponse]. If it
// is not known, pass an empty text.
//
// [ErrRejected] means that the server does not accept the access token. [ErrUnsupported] means that the server has no
// userinfo endpoint, or that it is not known, as with [AuthKit] and [Endpoints]. An empty token fails with
// [ErrInvalidConfig].
func (c *Client) UserInfo(ctx context.Context, accessToken Secret, subject string) (*Identity, error) {
	var expected *C.char
	if subject != "" {
		text, err := newCText("subject", []byte(subject))
		if err != nil {
			return nil, err
		}
		defer text.free()
		expected = text.chars()
	}
	var identity *Identity
	err := c.request(ctx, "access token", accessToken,
		func(client *C.cli_auth_client, token *C.char, failure **C.cli_auth_error) *C.cli_auth_request {
			return C.cli_auth_client_begin_userinfo(client, token, expected, failure)
		},
		func(request *C.cli_auth_request, _ *C.cli_auth_tokens) {
			identity = identityOf(C.cli_auth_request_identity(request))
		})
	return identity, err
}

// Revoke revokes a token (RFC 7009). It sends one request, after discovery where that is needed. Revoke the refresh
// token: servers then revoke its access tokens too. A token that the server does not know counts as revoked.
//
// [ErrUnsupported] means that the server has no revocation endpoint (WorkOS has none) or cannot revoke this kind of
// token. After [ErrNetwork] the token may still be valid. An empty token fails with [ErrInvalidConfig].
func (c *Client) Revoke(ctx context.Context, token Secret) error {
	return c.request(ctx, "token", token,
		func(client *C.cli_auth_client, token *C.char, failure **C.cli_auth_error) *C.cli_auth_request {
			return C.cli_auth_client_begin_revoke(client, token, failure)
		},
		func(*C.cli_auth_request, *C.cli_auth_tokens) {})
}

// beginRequest sends a request without waiting for the response.
type beginRequest func(*C.cli_auth_client, *C.char, **C.cli_auth_error) *C.cli_auth_request

// readResponse reads what a request was answered with. Only a refresh has tokens, which it must free.
type readResponse func(*C.cli_auth_request, *C.cli_auth_tokens)

// request sends a token to the server and waits for the response. It calls read on success only.
func (c *Client) request(
	ctx context.Context, what string, token Secret, begin beginRequest, read readResponse,
) error {
	if ctx == nil {
		return errNilContext()
	}
	client, err := c.acquire()
	if err != nil {
		return err
	}
	defer c.native.release()
	if ctx.Err() != nil {
		// Nothing is sent, not even by another call that drives the connections.
		return withCause(ctx, &Error{Kind: ErrCancelled, Message: "the request was cancelled"})
	}
	text, err := newCText(what, token.bytes())
	if err != nil {
		return err
	}
	var failure *C.cli_auth_error
	request := begin(client, text.chars(), &failure)
	text.free()
	token.keepAlive()
	if request == nil {
		return takeError(failure)
	}
	defer C.cli_auth_request_free(request)

	cancelled := make(chan struct{})
	cancel := sync.OnceFunc(func() {
		C.cli_auth_request_cancel(request)
		close(cancelled)
	})
	defer cancelWith(ctx, cancel)()
	var tokens *C.cli_auth_tokens
	found := false
	step := func(maxWait time.Duration) bool {
		if maxWait == 0 {
			defer c.limits.enter(isClosed(cancelled))()
		}
		var done C.bool
		status := C.cli_auth_request_step(request, secondsOf(maxWait), &done, &tokens, &failure)
		if status != C.CLI_AUTH_OK {
			err = withCause(ctx, takeError(failure))
		}
		found = err != nil || bool(done)
		return found
	}
	wait := waiter{limits: c.limits, cancelled: cancelled}
	// The step after a cancel returns a response that has just arrived, or the cancellation.
	for !step(0) {
		if wait.awaitResponse(step); found {
			break
		}
	}
	if err == nil {
		read(request, tokens)
	}
	return err
}
