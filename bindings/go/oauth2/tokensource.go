// Package cliauthoauth2 lets programs that speak golang.org/x/oauth2 use logins of package cliauth:
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
	// defaultEarly is how long before its end an access token is renewed, so that it is still good when it arrives.
	defaultEarly = 10 * time.Second

	// After a refresh that failed nothing is sent for this long, or for as long as the server said, within these limits.
	minPause = time.Second
	maxPause = 5 * time.Minute
)

// Token is tokens as golang.org/x/oauth2 has them, with id_token and scope as extras. It masks nothing: x/oauth2 prints its
// tokens when asked to.
func Token(tokens *cliauth.Tokens) *oauth2.Token {
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

// TokenSource is an [oauth2.TokenSource] that refreshes. All goroutines may use it at once.
//
// However many ask, one request is under way at a time, and all of them get what it brings. After a failure nothing is
// sent for a second, or for as long as the server said: until then, every call returns the same error, or the old token while that
// is good. Once
// the server has refused the refresh token, nothing is sent any more: log in again.
type TokenSource struct {
	ctx    context.Context
	client *cliauth.Client
	store  func(context.Context, *cliauth.Tokens) error
	early  time.Duration
	now    func() time.Time

	mu     sync.Mutex
	tokens *cliauth.Tokens
	// unstored is whether store has not taken them yet.
	unstored bool
	// failure is that of the last refresh; nothing is sent before pausedUntil, or ever where it is final.
	failure     error
	pausedUntil time.Time
}

var _ oauth2.TokenSource = (*TokenSource)(nil)

// Option is a setting of a [TokenSource].
type Option func(*TokenSource)

// WithStore has new tokens stored before they are returned. Many servers retire the refresh token that was sent, so one that is not
// stored is a login lost. If store fails, [TokenSource.Token] returns its error, and the next call tries to store the same tokens
// again. It is called by one goroutine at a time, and must not ask the source for a token.
func WithStore(store func(context.Context, *cliauth.Tokens) error) Option {
	return func(s *TokenSource) { s.store = store }
}

// WithEarlyExpiry renews an access token so long before its end. Defaults to 10 seconds. Of a token that lives for a short time only the
// last quarter counts.
func WithEarlyExpiry(early time.Duration) Option {
	return func(s *TokenSource) { s.early = max(early, 0) }
}

// NewTokenSource makes a source of these tokens and those that follow them. Tokens that hold a refresh token alone will do:
//
//	&cliauth.Tokens{RefreshToken: cliauth.NewSecret(stored)}
//
// ctx is for its requests: when it ends, they do. The client must stay open.
func NewTokenSource(ctx context.Context, client *cliauth.Client, tokens *cliauth.Tokens, options ...Option) *TokenSource {
	copied := *tokens
	s := &TokenSource{ctx: ctx, client: client, tokens: &copied, early: defaultEarly, now: time.Now}
	for _, option := range options {
		option(s)
	}
	return s
}

// Token returns a token that is good, refreshing it where needed. An error is a [*cliauth.Error], or what the store said:
// cliauth.ErrRejected and cliauth.ErrActionRequired mean that the user must log in again.
func (s *TokenSource) Token() (*oauth2.Token, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tokens, err := s.current()
	if err != nil {
		return nil, err
	}
	return Token(tokens), nil
}

// Tokens is Token with secrets that are masked.
func (s *TokenSource) Tokens() (*cliauth.Tokens, error) {
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

// save has tokens stored that are not yet.
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

// goodFor is whether the access token can be used for so long. One that does not say when it ends counts as good.
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
		return &cliauth.Error{Kind: cliauth.ErrExpired, Message: "the access token has expired, and there is no refresh token: log in again"}
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

// isFinal is whether asking again cannot help.
func isFinal(err error) bool {
	return errors.Is(err, cliauth.ErrRejected) || errors.Is(err, cliauth.ErrActionRequired)
}

func pauseAfter(err error) time.Duration {
	var failure *cliauth.Error
	if errors.As(err, &failure) {
		return max(minPause, min(failure.RetryAfter, maxPause))
	}
	return minPause
}
