package cliauthoauth2_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"cliauth"
	"cliauth/internal/authserver"
	cliauthoauth2 "cliauth/oauth2"
	"golang.org/x/oauth2"
)

type settings = authserver.Settings

func TestMain(m *testing.M) { authserver.Main(m) }

// answer is a response to a refresh.
func answer(number int, lifetime int) settings {
	return settings{"json": settings{
		"token_type": "Bearer", "access_token": fmt.Sprint("access-", number),
		"refresh_token": fmt.Sprint("refresh-", number), "expires_in": lifetime,
	}}
}

// stored returns tokens of which only the refresh token is left.
func stored() *cliauth.Tokens { return &cliauth.Tokens{RefreshToken: cliauth.NewSecret("refresh-0")} }

// refreshes returns the refresh tokens that were sent.
func refreshes(server *authserver.Server) string {
	var sent []string
	for _, request := range server.Requests("refresh") {
		sent = append(sent, request.Fields("refresh_token")...)
	}
	return strings.Join(sent, ", ")
}

func expect(t *testing.T, source oauth2.TokenSource, access string) {
	t.Helper()
	token, err := source.Token()
	if err != nil {
		t.Fatal(err)
	}
	if token.AccessToken != access {
		t.Fatalf("%s, not %s", token.AccessToken, access)
	}
}

func TestTokensAsOAuth2HasThem(t *testing.T) {
	end := time.Now().Add(time.Minute)
	token := cliauthoauth2.Token(&cliauth.Tokens{
		AccessToken: cliauth.NewSecret("a"), RefreshToken: cliauth.NewSecret("r"), IDToken: cliauth.NewSecret("i"),
		TokenType: "bearer", Scopes: []string{"openid", "email"}, ExpiresAt: end, ExpiresIn: time.Minute,
	})
	if token.AccessToken != "a" || token.RefreshToken != "r" || token.Extra("id_token") != "i" ||
		token.Extra("scope") != "openid email" || token.Type() != "Bearer" || !token.Expiry.Equal(end) || !token.Valid() {
		t.Errorf("%+v", token)
	}
	bare := cliauthoauth2.Token(&cliauth.Tokens{AccessToken: cliauth.NewSecret("a")})
	if bare.Extra("id_token") != nil || bare.Extra("scope") != nil || !bare.Expiry.IsZero() {
		t.Errorf("%+v", bare)
	}
}

func TestManyAskAndOneRefreshes(t *testing.T) {
	server := authserver.Scripted(t, "refresh", settings{"delay": 0.3, "json": answer(1, 60)["json"]})
	source := cliauthoauth2.NewTokenSource(t.Context(), server.Client(t), stored())
	var all sync.WaitGroup
	for range 100 {
		all.Add(1)
		go func() {
			defer all.Done()
			if token, err := source.Token(); err != nil || token.AccessToken != "access-1" {
				t.Error(err)
			}
		}()
	}
	all.Wait()
	if sent := refreshes(server); sent != "refresh-0" {
		t.Error(sent)
	}
}

func TestTheNewRefreshTokenIsUsedNext(t *testing.T) {
	server := authserver.Scripted(t, "refresh", answer(1, 3600), answer(2, 7200), answer(3, 3600))
	source := cliauthoauth2.NewTokenSource(t.Context(), server.Client(t), stored())
	expect(t, source, "access-1")
	expect(t, source, "access-1")
	source.Pass(90 * time.Minute)
	expect(t, source, "access-2")
	source.Pass(90 * time.Minute)
	expect(t, source, "access-3")
	if sent := refreshes(server); sent != "refresh-0, refresh-1, refresh-2" {
		t.Error(sent)
	}
}

func TestATokenIsRenewedBeforeItsEnd(t *testing.T) {
	server := authserver.Scripted(t, "refresh", answer(1, 3600), answer(2, 3600))
	source := cliauthoauth2.NewTokenSource(t.Context(), server.Client(t), &cliauth.Tokens{
		AccessToken: cliauth.NewSecret("access-0"), RefreshToken: cliauth.NewSecret("refresh-0"),
		ExpiresAt: time.Now().Add(50 * time.Minute),
	}, cliauthoauth2.WithEarlyExpiry(time.Hour))
	expect(t, source, "access-1")
	// Refreshing an hour early would mean always. For a short lifetime only its last quarter counts.
	expect(t, source, "access-1")
	if sent := refreshes(server); sent != "refresh-0" {
		t.Error(sent)
	}
}

func TestNewTokensAreStoredBeforeTheyAreUsed(t *testing.T) {
	server := authserver.Scripted(t, "refresh", answer(1, 60))
	full, kept := errors.New("the disk is full"), ""
	failing := true
	source := cliauthoauth2.NewTokenSource(t.Context(), server.Client(t), stored(),
		cliauthoauth2.WithStore(func(_ context.Context, tokens *cliauth.Tokens) error {
			if failing {
				return full
			}
			kept = tokens.RefreshToken.Expose()
			return nil
		}))
	for range 3 {
		if token, err := source.Token(); token != nil || !errors.Is(err, full) {
			t.Fatal(token, err)
		}
	}
	failing = false
	expect(t, source, "access-1")
	expect(t, source, "access-1")
	if sent := refreshes(server); sent != "refresh-0" || kept != "refresh-1" {
		t.Error(sent, kept)
	}
}

func TestAStoreThatPanicsLosesNothing(t *testing.T) {
	server := authserver.Scripted(t, "refresh", answer(1, 60))
	calls := 0
	source := cliauthoauth2.NewTokenSource(t.Context(), server.Client(t), stored(),
		cliauthoauth2.WithStore(func(context.Context, *cliauth.Tokens) error {
			if calls++; calls == 1 {
				panic("mine")
			}
			return nil
		}))
	func() {
		defer func() {
			if caught := recover(); caught != "mine" {
				t.Error(caught)
			}
		}()
		_, _ = source.Token()
	}()
	expect(t, source, "access-1")
	if sent := refreshes(server); sent != "refresh-0" || calls != 2 {
		t.Error(sent, calls)
	}
}

func TestADeadTokenIsNotSentAgain(t *testing.T) {
	server := authserver.Scripted(t, "refresh", "invalid_grant")
	source := cliauthoauth2.NewTokenSource(t.Context(), server.Client(t), stored())
	for range 3 {
		if _, err := source.Token(); !errors.Is(err, cliauth.ErrLoginRequired) {
			t.Fatal(err)
		}
	}
	if sent := refreshes(server); sent != "refresh-0" {
		t.Error(sent)
	}
}

func TestTroubleIsNoStorm(t *testing.T) {
	server := authserver.Scripted(t, "refresh", settings{"status": 503, "body": "busy"}, answer(1, 60))
	source := cliauthoauth2.NewTokenSource(t.Context(), server.Client(t), stored())
	source.Pass(0)
	for range 20 {
		if _, err := source.Token(); !errors.Is(err, cliauth.ErrNetwork) {
			t.Fatal(err)
		}
	}
	if sent := refreshes(server); sent != "refresh-0" {
		t.Error(sent)
	}
	source.Pass(1100 * time.Millisecond)
	expect(t, source, "access-1")
}

func TestAnOldTokenIsUsedWhileItIsGood(t *testing.T) {
	busy := settings{"status": 503, "body": "busy", "headers": settings{"Retry-After": "60"}}
	server := authserver.Scripted(t, "refresh", busy)
	source := cliauthoauth2.NewTokenSource(t.Context(), server.Client(t), &cliauth.Tokens{
		AccessToken: cliauth.NewSecret("access-0"), RefreshToken: cliauth.NewSecret("refresh-0"),
		ExpiresAt: time.Now().Add(5 * time.Second),
	})
	source.Pass(0)
	expect(t, source, "access-0")
	expect(t, source, "access-0")
	if sent := refreshes(server); sent != "refresh-0" {
		t.Error(sent)
	}
}

func TestNoRefreshToken(t *testing.T) {
	client := authserver.New(t, nil).Client(t)
	tokens := &cliauth.Tokens{AccessToken: cliauth.NewSecret("access-0")}
	forEver := cliauthoauth2.NewTokenSource(t.Context(), client, tokens)
	expect(t, forEver, "access-0")
	tokens.ExpiresAt = time.Now()
	ended := cliauthoauth2.NewTokenSource(t.Context(), client, tokens)
	if _, err := ended.Token(); !errors.Is(err, cliauth.ErrLoginRequired) {
		t.Error(err)
	}
}

func TestNothingIsSentWithoutTheArguments(t *testing.T) {
	server := authserver.New(t, nil)
	client := server.Client(t)
	var none context.Context
	for what, source := range map[string]*cliauthoauth2.TokenSource{
		"nil": nil, "zero": {},
		"no context": cliauthoauth2.NewTokenSource(none, client, stored()),
		"no client":  cliauthoauth2.NewTokenSource(t.Context(), nil, stored()),
		"no tokens":  cliauthoauth2.NewTokenSource(t.Context(), client, nil),
		"zero client": cliauthoauth2.NewTokenSource(t.Context(), &cliauth.Client{}, stored(),
			nil, cliauthoauth2.WithStore(nil)),
	} {
		for range 2 {
			token, err := source.Token()
			tokens, again := source.Tokens()
			if token != nil || tokens != nil || !errors.Is(err, cliauth.ErrMisuse) || !errors.Is(again, cliauth.ErrMisuse) {
				t.Error(what, token, tokens, err, again)
			}
		}
	}
	if sent := refreshes(server); sent != "" {
		t.Error(sent)
	}
	if cliauthoauth2.Token(nil) != nil {
		t.Error("a token from nothing")
	}
}

// The kind of an error decides, and not the kind of the error that ended the context.
func TestAContextThatEndedIsNoDeadToken(t *testing.T) {
	server := authserver.Silent(t, "refresh")
	ctx, cancel := context.WithCancelCause(t.Context())
	source := cliauthoauth2.NewTokenSource(ctx, server.Client(t), stored())
	result := make(chan error)
	go func() {
		_, err := source.Token()
		result <- err
	}()
	server.WaitFor(t, "refresh", 1)
	cancel(cliauth.ErrLoginRequired)
	first := <-result
	source.Pass(time.Hour)
	_, second := source.Token()
	if !errors.Is(first, cliauth.ErrCancelled) || !errors.Is(second, cliauth.ErrCancelled) || first == second {
		t.Error(first, second)
	}
}

func TestTheContextEndsARefresh(t *testing.T) {
	server := authserver.Silent(t, "refresh")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err := cliauthoauth2.NewTokenSource(ctx, server.Client(t), stored()).Token()
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, cliauth.ErrCancelled) {
		t.Error(err)
	}
}

func TestItFitsOAuth2(t *testing.T) {
	server := authserver.New(t, settings{"answer": "approve"})
	client := server.ClientByIssuer(t, cliauth.WithScopes("openid", "offline_access"))
	login := client.Login()
	defer login.Close()
	if _, err := login.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	tokens, err := login.Poll(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	source := cliauthoauth2.NewTokenSource(t.Context(), client, tokens)
	source.Pass(time.Hour)
	api := oauth2.NewClient(t.Context(), source)
	response, err := api.Get(server.URL + "/oauth2/userinfo")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(body), "user_") {
		t.Error(response.StatusCode, string(body), err)
	}
	if count := len(server.Requests("refresh")); count != 1 {
		t.Errorf("%d refreshes", count)
	}
}

func TestMaskedTokens(t *testing.T) {
	server := authserver.Scripted(t, "refresh", answer(1, 60))
	source := cliauthoauth2.NewTokenSource(t.Context(), server.Client(t), stored())
	tokens, err := source.Tokens()
	if err != nil || tokens.AccessToken.Expose() != "access-1" {
		t.Fatal(tokens, err)
	}
	for _, text := range []string{fmt.Sprintf("%+v", tokens), fmt.Sprintf("%+v", source), fmt.Sprintf("%#v", source)} {
		if strings.Contains(text, "access-1") || strings.Contains(text, "refresh-1") {
			t.Error(text)
		}
	}
}

func ExampleNewTokenSource() {
	server := authserver.Make(settings{"script": settings{"refresh": []any{answer(1, 300)}}})
	client, err := cliauth.New(cliauth.AuthKit("client_123"), server.Options(cliauth.WithAPIBase(server.URL))...)
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	tokens := &cliauth.Tokens{RefreshToken: cliauth.NewSecret("as-the-keyring-gave-it")}
	save := func(_ context.Context, tokens *cliauth.Tokens) error {
		fmt.Println("into the keyring:", tokens.RefreshToken)
		return nil
	}
	source := cliauthoauth2.NewTokenSource(ctx, client, tokens, cliauthoauth2.WithStore(save))

	token, err := source.Token() // or oauth2.NewClient(ctx, source)
	if err != nil {
		panic(err) // after cliauth.ErrLoginRequired, log in again
	}
	fmt.Println(token.Type())
	// Output:
	// into the keyring: ****
	// Bearer
}

func ExampleToken() {
	token := cliauthoauth2.Token(&cliauth.Tokens{AccessToken: cliauth.NewSecret("abc"), TokenType: "bearer"})
	fmt.Println(token.Type(), token.Valid())
	// Output: Bearer true
}
