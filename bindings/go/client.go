package cliauth

// #include "native.h"
import "C"

import (
	"context"
	"runtime"
	"sync"
	"time"
)

// Server is the authorization server of a [Client]: the result of [AuthKit], [WorkOSConnect], [Issuer] or [Endpoints].
type Server struct {
	texts []namedText
	// options makes the library's options of the texts, which are in C's memory.
	options func(texts []*C.char) *C.cli_auth_client_options
}

// namedText is a text, and its name in an error message.
type namedText struct{ name, text string }

// AuthKit is WorkOS AuthKit, by the client id of the environment.
func AuthKit(clientID string) Server {
	return Server{
		[]namedText{{"client id", clientID}},
		func(texts []*C.char) *C.cli_auth_client_options { return C.cli_auth_client_options_authkit(texts[0]) },
	}
}

// WorkOSConnect is WorkOS Connect, by the AuthKit domain (acme.authkit.app, or with https://) and the client id of the
// application.
func WorkOSConnect(domain, clientID string) Server {
	return Server{
		[]namedText{{"domain", domain}, {"client id", clientID}},
		func(texts []*C.char) *C.cli_auth_client_options {
			return C.cli_auth_client_options_workos_connect(texts[0], texts[1])
		},
	}
}

// Issuer is any server that publishes its metadata: RFC 8414, then OpenID Connect Discovery. The issuer must be written exactly
// as the server writes it. The metadata is fetched when the first login starts.
func Issuer(issuer, clientID string) Server {
	return Server{
		[]namedText{{"issuer", issuer}, {"client id", clientID}},
		func(texts []*C.char) *C.cli_auth_client_options {
			return C.cli_auth_client_options_for_issuer(texts[0], texts[1])
		},
	}
}

// Endpoints is any server, by its device authorization endpoint and its token endpoint.
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

// Client holds the settings for one authorization server. All goroutines may use it at once, and it does no I/O before a login
// starts. Made by [New].
type Client struct {
	native *native[*C.cli_auth_client]
	limits *limits
}

// New makes a client of a server. No I/O.
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
	client := &Client{
		native: newNative(object, func(object *C.cli_auth_client) { C.cli_auth_client_free(object) }),
		limits: newLimits(),
	}
	runtime.AddCleanup(client, (*native[*C.cli_auth_client]).close, client.native)
	return client, nil
}

// Close frees the client's memory and closes its connections. Logins and requests that were made from it live on; new ones fail
// with [ErrClosed]. It always returns nil, and a second call changes nothing. A client that is forgotten is closed when it is
// garbage.
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
// response was lost.
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

// beginRequest sends a request without waiting for the response.
type beginRequest func(*C.cli_auth_client, *C.char, **C.cli_auth_error) *C.cli_auth_request

// request sends a token to the server and waits for the response, which may bring tokens.
func (c *Client) request(ctx context.Context, what string, token Secret, tokens **C.cli_auth_tokens, begin beginRequest) error {
	client, open := c.native.acquire()
	if !open {
		return closed("client")
	}
	defer c.native.release()
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
	found := false
	step := func(maxWait time.Duration) bool {
		if maxWait == 0 {
			defer c.limits.enter(isClosed(cancelled))()
		}
		var done C.bool
		status := C.cli_auth_request_step(request, secondsOf(maxWait), &done, tokens, &failure)
		if status != C.CLI_AUTH_OK {
			err = withCause(ctx, takeError(failure))
		}
		found = err != nil || bool(done)
		return found
	}
	wait := waiter{limits: c.limits, cancelled: cancelled}
	// The step after a cancel returns what came in the last moment, or says that it was cancelled.
	for !step(0) {
		if wait.awaitResponse(step); found {
			break
		}
	}
	return err
}
