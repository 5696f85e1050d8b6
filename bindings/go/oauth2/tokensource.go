// Package cliauthoauth2 connects package cliauth to programs that use golang.org/x/oauth2:
//
//	source := cliauthoauth2.NewTokenSource(ctx, client, tokens, cliauthoauth2.WithStore(save))
//	api := oauth2.NewClient(ctx, source)
package cliauthoauth2

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"cliauth"
	"golang.org/x/oauth2"
)

const (
	// defaultEarly is how long before its expiry an access token is refreshed, so that it is still valid when it
	// reaches the API.
	defaultEarly = 10 * time.Second

	// After a failed refresh, nothing is sent for this long, or for as long as the server asked for, within these
	// limits.
	minPause = time.Second
	maxPause = 5 * time.Minute
)

// Token converts tokens to those of golang.org/x/oauth2, with id_token and scope as extras. The result masks nothing:
// golang.org/x/oauth2 prints its tokens when asked to. It is nil if tokens is nil.
func Token(tokens *cliauth.Tokens) *oauth2.Token {
	if tokens == nil {
		return nil
	}
	token := &oauth2.Token{
		AccessToken:  tokens.AccessToken.Expose(),
		TokenType:    tokens.TokenType,
		RefreshToken: tokens.RefreshToken.Expose(),
		Expiry:       tokens.ExpiresAt,
		ExpiresIn:    int64(tokens.ExpiresIn / time.Second),
	}
	extra := map[string]any{}
	if !tokens.IDToken.IsZero() {
		extra["id_token"] = tokens.IDToken.Expose()
	}
	if tokens.Scopes != nil {
		extra["scope"] = strings.Join(tokens.Scopes, " ")
	}
	return token.WithExtra(extra)
}

// TokenSource is an [oauth2.TokenSource] that refreshes tokens. [NewTokenSource] returns one; a zero or nil
// TokenSource fails with [cliauth.ErrMisuse]. Several goroutines may use it at once.
//
// At most one request is in progress at a time, and all callers receive its result. After a failure nothing is sent for
// 1 second, or for as long as the server asked for, up to 5 minutes. Until then every call returns the same error, or
// the old token while it is valid. After the server has refused the refresh token, nothing is sent again: the user must
// log in again.
type TokenSource struct {
	ctx    context.Context
	client *cliauth.Client
	store  func(context.Context, *cliauth.Tokens) error
	early  time.Duration
	now    func() time.Time
	// unusable is why there are no tokens.
	unusable error

	mu     sync.Mutex
	tokens *cliauth.Tokens
	// unstored is whether store has not accepted the tokens yet.
	unstored bool
	// failure is the error of the last refresh. Nothing is sent before pausedUntil, or ever again if the error is
	// final.
	failure     error
	pausedUntil time.Time
}

var _ oauth2.TokenSource = (*TokenSource)(nil)

// Option is a setting of a [TokenSource].
type Option func(*TokenSource)

// WithStore stores new tokens before they are returned. Many servers invalidate the refresh token that was sent, so a
// new one that is not stored means a lost login. If store fails, [TokenSource.Token] returns its error, and the next
// call tries to store the same tokens again. One goroutine at a time calls store. It must not request a token from the
// source. A nil store stores nothing.
func WithStore(store func(context.Context, *cliauth.Tokens) error) Option {
	return func(s *TokenSource) { s.store = store }
}

// WithEarlyExpiry sets how long before its expiry an access token is refreshed, at most a quarter of its lifetime.
// Defaults to 10 seconds. A negative time counts as 0.
func WithEarlyExpiry(early time.Duration) Option {
	return func(s *TokenSource) { s.early = max(early, 0) }
}

// NewTokenSource returns a source of the given tokens and of those that replace them. Tokens that hold only a refresh
// token are enough:
//
//	&cliauth.Tokens{RefreshToken: cliauth.NewSecret(stored)}
//
// The source uses ctx for its requests: when ctx ends, they fail. The client must stay open. If ctx, client or tokens
// is nil, every call fails with [cliauth.ErrMisuse]. An option that is nil changes nothing.
func NewTokenSource(
	ctx context.Context, client *cliauth.Client, tokens *cliauth.Tokens, options ...Option,
) *TokenSource {
	s := &TokenSource{ctx: ctx, client: client, early: defaultEarly, now: time.Now}
	switch {
	case ctx == nil:
		s.unusable = misuse("the context is nil")
	case client == nil:
		s.unusable = misuse("the client is nil")
	case tokens == nil:
		s.unusable = misuse("the tokens are nil")
	default:
		copied := *tokens
		s.tokens = &copied
	}
	for _, option := range options {
		if option != nil {
			option(s)
		}
	}
	return s
}

func misuse(message string) error { return &cliauth.Error{Kind: cliauth.ErrMisuse, Message: message} }

// Token returns a valid token and refreshes it if necessary. An error is a [*cliauth.Error] or the error of the store.
// [cliauth.ErrLoginRequired] and [cliauth.ErrActionRequired] mean that the user must log in again.
func (s *TokenSource) Token() (*oauth2.Token, error) {
	tokens, err := s.Tokens()
	return Token(tokens), err
}

// Tokens does the same as [TokenSource.Token] and returns masked secrets.
func (s *TokenSource) Tokens() (*cliauth.Tokens, error) {
	switch {
	case s != nil && s.unusable != nil:
		return nil, s.unusable
	case s == nil || s.client == nil:
		return nil, misuse("the token source must come from NewTokenSource")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	tokens, err := s.current()
	if err != nil {
		return nil, err
	}
	copied := *tokens
	return &copied, nil
}

func (s *TokenSource) current() (*cliauth.Tokens, error) {
	if err := s.save(); err != nil {
		return nil, err
	}
	if s.goodFor(s.margin()) {
		return s.tokens, nil
	}
	if err := s.refresh(); err != nil {
		if s.goodFor(0) {
			return s.tokens, nil
		}
		return nil, err
	}
	return s.tokens, s.save()
}

// save stores tokens that are not stored yet.
func (s *TokenSource) save() error {
	if !s.unstored {
		return nil
	}
	if err := s.store(s.ctx, s.tokens); err != nil {
		return err
	}
	s.unstored = false
	return nil
}

// goodFor reports whether the access token stays valid for the given time. A token without a known expiry counts as
// valid.
func (s *TokenSource) goodFor(margin time.Duration) bool {
	end := s.tokens.ExpiresAt
	return !s.tokens.AccessToken.IsZero() && (end.IsZero() || s.now().Add(margin).Before(end))
}

func (s *TokenSource) margin() time.Duration {
	if lifetime := s.tokens.ExpiresIn; lifetime > 0 {
		return min(s.early, lifetime/4)
	}
	return s.early
}

func (s *TokenSource) refresh() error {
	if s.tokens.RefreshToken.IsZero() {
		return &cliauth.Error{
			Kind:    cliauth.ErrLoginRequired,
			Message: "the access token has expired, and there is no refresh token: log in again",
		}
	}
	if s.failure != nil && (isFinal(s.failure) || s.now().Before(s.pausedUntil)) {
		return s.failure
	}
	tokens, err := s.client.Refresh(s.ctx, s.tokens.RefreshToken)
	s.failure = err
	if err != nil {
		s.pausedUntil = s.now().Add(pauseAfter(err))
		return err
	}
	s.tokens, s.unstored = tokens, s.store != nil
	return nil
}

// isFinal reports whether another request cannot help. The kind alone decides, and not the cause of a context that has
// ended, which errors.Is matches too.
func isFinal(err error) bool {
	var failure *cliauth.Error
	if !errors.As(err, &failure) {
		return false
	}
	switch failure.Kind {
	case cliauth.ErrLoginRequired, cliauth.ErrActionRequired, cliauth.ErrRejected,
		cliauth.ErrUnsupported, cliauth.ErrInvalidConfig, cliauth.ErrMisuse:
		return true
	}
	return false
}

func pauseAfter(err error) time.Duration {
	var failure *cliauth.Error
	if errors.As(err, &failure) {
		return max(minPause, min(failure.RetryAfter, maxPause))
	}
	return minPause
}
