package cliauth

// #include "native.h"
import "C"

import (
	"context"
	"runtime"
	"sync"
	"time"
)

// Client is a client of one authorization server. Everything in it may be used from any goroutine at once, and it does no I/O
// before a login starts.
//
// Made by [NewAuthKit], [NewConnect], [NewDiscover] or [NewEndpoints].
type Client struct {
	native *native[*C.cli_auth_client]
	turns  *turns
}

// NewAuthKit makes a client of WorkOS AuthKit, by the client id of the environment.
func NewAuthKit(clientID string, options ...Option) (*Client, error) {
	return newClient(options, func(texts []*C.char) *C.cli_auth_client_options {
		return C.cli_auth_client_options_authkit(texts[0])
	}, named{"client id", clientID})
}

// NewConnect makes a client of WorkOS Connect, by the AuthKit domain (acme.authkit.app, or with https://) and the client id of
// the application.
func NewConnect(domain, clientID string, options ...Option) (*Client, error) {
	return newClient(options, func(texts []*C.char) *C.cli_auth_client_options {
		return C.cli_auth_client_options_workos_connect(texts[0], texts[1])
	}, named{"domain", domain}, named{"client id", clientID})
}

// NewDiscover makes a client of any server that publishes its metadata: RFC 8414, then OpenID Connect Discovery. The issuer
// has to be written exactly as the server writes it.
func NewDiscover(issuer, clientID string, options ...Option) (*Client, error) {
	return newClient(options, func(texts []*C.char) *C.cli_auth_client_options {
		return C.cli_auth_client_options_for_issuer(texts[0], texts[1])
	}, named{"issuer", issuer}, named{"client id", clientID})
}

// NewEndpoints makes a client of any server, by its device authorization endpoint and its token endpoint.
func NewEndpoints(deviceAuthorization, token, clientID string, options ...Option) (*Client, error) {
	return newClient(options, func(texts []*C.char) *C.cli_auth_client_options {
		return C.cli_auth_client_options_with_endpoints(texts[0], texts[1], texts[2])
	}, named{"device authorization endpoint", deviceAuthorization}, named{"token endpoint", token}, named{"client id", clientID})
}

// named is a text, and what it is called where it is wrong.
type named struct{ name, text string }

func newClient(options []Option, begin func([]*C.char) *C.cli_auth_client_options, texts ...named) (*Client, error) {
	var chars []*C.char
	for _, text := range texts {
		copied, err := newCText(text.name, []byte(text.text))
		if err != nil {
			return nil, err
		}
		defer copied.free()
		chars = append(chars, copied.chars())
	}
	s := settings{object: begin(chars)}
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
	client := &Client{
		native: newNative(object, func(object *C.cli_auth_client) { C.cli_auth_client_free(object) }),
		turns:  newTurns(),
	}
	runtime.AddCleanup(client, (*native[*C.cli_auth_client]).close, client.native)
	return client, nil
}

// Close gives the client's memory and connections back. Logins and requests that were made from it live on; new ones fail with
// [ErrClosed]. It is never needed twice and always gives nil. A client that is forgotten is closed when it is garbage.
func (c *Client) Close() error {
	c.native.close()
	return nil
}

// Refresh trades a refresh token for new tokens (RFC 6749 section 6): one request, never repeated by itself.
//
// Many servers, WorkOS among them, retire the token that was sent: store the new RefreshToken before anything else, and never
// refresh one token from two processes at once. If ctx ends meanwhile, the token may have been used.
//
// [ErrRejected] and [ErrActionRequired]: log in again. [ErrNetwork]: keep the token and try again; it may have been used if the
// answer was lost.
func (c *Client) Refresh(ctx context.Context, refreshToken Secret) (*Tokens, error) {
	var tokens *C.cli_auth_tokens
	err := c.request(ctx, "refresh token", refreshToken, &tokens,
		func(client *C.cli_auth_client, token *C.char, failure **C.cli_auth_error) *C.cli_auth_request {
			return C.cli_auth_client_begin_refresh(client, token, failure)
		})
	if err != nil {
		return nil, err
	}
	return takeTokens(tokens), nil
}

// Revoke ends a token's life (RFC 7009): one request. Revoke the refresh token: servers then drop its access tokens too. A token
// that the server does not know counts as revoked.
//
// [ErrUnsupported]: the server has no revocation endpoint (WorkOS has none), or cannot revoke this kind of token.
// [ErrNetwork]: the token still lives.
func (c *Client) Revoke(ctx context.Context, token Secret) error {
	return c.request(ctx, "token", token, nil,
		func(client *C.cli_auth_client, token *C.char, failure **C.cli_auth_error) *C.cli_auth_request {
			return C.cli_auth_client_begin_revoke(client, token, failure)
		})
}

type begin func(*C.cli_auth_client, *C.char, **C.cli_auth_error) *C.cli_auth_request

// request sends a token to the server and waits for the answer, which may bring tokens.
func (c *Client) request(ctx context.Context, what string, token Secret, tokens **C.cli_auth_tokens, begin begin) error {
	client, open := c.native.borrow()
	if !open {
		return closed("client")
	}
	defer c.native.giveBack()
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
	defer endWith(ctx, cancel)()
	found := false
	look := func(stay time.Duration) bool {
		if stay == 0 {
			defer c.turns.enter(isDone(cancelled))()
		}
		var done C.bool
		status := C.cli_auth_request_step(request, secondsOf(stay), &done, tokens, &failure)
		if status != C.CLI_AUTH_OK {
			err = because(ctx, takeError(failure))
		}
		found = err != nil || bool(done)
		return found
	}
	wait := pause{turns: c.turns, cancelled: cancelled}
	// The look after a cancel gives what came in the last moment, or says that it was cancelled.
	for !look(0) {
		if wait.underWay(look); found {
			break
		}
	}
	return err
}
