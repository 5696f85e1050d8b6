package cliauth_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"cliauth"
	"cliauth/internal/authserver"
)

func TestANilOptionChangesNothing(t *testing.T) {
	client, err := cliauth.New(cliauth.AuthKit("client_123"), nil, cliauth.WithProduct("my-cli"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = client.Close()
}

func TestZeroAndNilValuesFailAsMisuse(t *testing.T) {
	t.Parallel()
	for _, client := range []*cliauth.Client{nil, {}} {
		_, err := client.Refresh(t.Context(), cliauth.NewSecret("t"))
		isMisuse(t, err, "the client must come from New")
		_, err = client.UserInfo(t.Context(), cliauth.NewSecret("t"), "user_1")
		isMisuse(t, err, "the client must come from New")
		isMisuse(t, client.Revoke(t.Context(), cliauth.NewSecret("t")), "the client must come from New")
		isUnusable(t, client.Login(), "the client must come from New")
		for range 2 {
			if err := client.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	isUnusable(t, nil, "the login must come from Client.Login")
	isUnusable(t, &cliauth.Login{}, "the login must come from Client.Login")
	for _, prompt := range []*cliauth.Prompt{nil, {UserCode: "ABCD-EFGH"}} {
		if prompt.Text() != "" || prompt.TextWrapped(80) != "" || prompt.TextForStderr() != "" {
			t.Error("a text")
		}
		isMisuse(t, prompt.OpenBrowser(), "the prompt must come from Login.Start")
	}
}

func isMisuse(t *testing.T, err error, message string) {
	t.Helper()
	if found := isError(t, err, cliauth.ErrMisuse); found.Message != message || errors.Is(err, cliauth.ErrClosed) {
		t.Error(err)
	}
}

// isUnusable makes every call of a login.
func isUnusable(t *testing.T, login *cliauth.Login, message string) {
	t.Helper()
	for range 2 {
		_, err := login.Start(t.Context())
		isMisuse(t, err, message)
		_, err = login.Poll(t.Context(), nil)
		isMisuse(t, err, message)
		_, err = login.Step(t.Context(), 0)
		isMisuse(t, err, message)
		login.Cancel()
		if prompt, err := login.Prompt(), login.Close(); prompt != nil || err != nil {
			t.Error(prompt, err)
		}
	}
}

func TestNoContextSendsNothing(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, settings{"answer": "approve"})
	client := server.Client(t)
	login := client.Login()
	defer login.Close()
	var none context.Context
	_, err := login.Start(none)
	isMisuse(t, err, "the context is nil")
	_, err = login.Step(none, time.Minute)
	isMisuse(t, err, "the context is nil")
	_, err = client.Refresh(none, cliauth.NewSecret("t"))
	isMisuse(t, err, "the context is nil")
	_, err = client.UserInfo(none, cliauth.NewSecret("t"), "")
	isMisuse(t, err, "the context is nil")
	isMisuse(t, client.Revoke(none, cliauth.NewSecret("t")), "the context is nil")
	if count := len(server.Connections()); count != 0 {
		t.Errorf("%d connections", count)
	}
	// The login stays usable.
	if _, err := login.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = login.Poll(none, nil)
	isMisuse(t, err, "the context is nil")
	if _, err := login.Poll(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

// ownContext is a context that ends by itself, as a program may write one.
type ownContext struct {
	context.Context
	done chan struct{}
}

func (c ownContext) Done() <-chan struct{} { return c.done }
func (c ownContext) Err() error            { return context.DeadlineExceeded }

func TestAContextOfTheProgramsOwn(t *testing.T) {
	t.Parallel()
	login := authserver.New(t, nil).Client(t).Login()
	defer login.Close()
	ctx := ownContext{t.Context(), make(chan struct{})}
	close(ctx.done)
	_, err := login.Start(ctx)
	isError(t, err, cliauth.ErrCancelled, context.DeadlineExceeded)
}

func TestACopyOutlivesItsOriginal(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, nil)
	copies := func() (cliauth.Client, cliauth.Prompt) {
		client, err := cliauth.New(cliauth.AuthKit("client_test"), server.Options(cliauth.WithAPIBase(server.URL))...)
		if err != nil {
			t.Fatal(err)
		}
		login := client.Login()
		defer login.Close()
		prompt, err := login.Start(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return *client, *prompt
	}
	client, prompt := copies()
	collectAll(t)
	if text := prompt.Text(); !strings.Contains(text, prompt.UserCode) {
		t.Errorf("%q", text)
	}
	login := client.Login()
	defer login.Close()
	if _, err := login.Start(t.Context()); err != nil {
		t.Error(err)
	}
	// Copies share what they refer to.
	again := client
	_ = again.Close()
	isError(t, client.Revoke(t.Context(), cliauth.NewSecret("t")), cliauth.ErrClosed)
}

func TestSlicesOfOptionsAreCopied(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, settings{"tls": "good"})
	scopes, pem := []string{"openid"}, []byte(server.CAPEM)
	options := []cliauth.Option{cliauth.WithScopes(scopes...), cliauth.WithCAPEM(pem)}
	ofRefresh := cliauth.RefreshScopes(scopes...)
	scopes[0] = "not a scope"
	clear(pem)
	client, err := cliauth.New(cliauth.Issuer(server.Issuer, "client_test"), options...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	started(t, client)
	_, err = client.Refresh(t.Context(), cliauth.NewSecret("token-1234"), nil, ofRefresh)
	isError(t, err, cliauth.ErrLoginRequired)
	for _, endpoint := range []string{"device", "refresh"} {
		if sent := server.Requests(endpoint)[0].Fields("scope"); len(sent) != 1 || sent[0] != "openid" {
			t.Error(endpoint, sent)
		}
	}
}

func TestTheLongestAndTheShortestNumbers(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, settings{"answer": "approve"})
	login := started(t, server.Client(t, cliauth.WithLoginTimeout(math.MaxInt64)))
	for _, columns := range []int{math.MinInt, -1, 0, math.MaxInt} {
		if text := login.Prompt().TextWrapped(columns); !strings.Contains(text, login.Prompt().UserCode) {
			t.Errorf("%d columns: %q", columns, text)
		}
	}
	step, err := login.Step(t.Context(), math.MinInt64)
	if _, ok := step.(cliauth.Waiting); !ok || err != nil {
		t.Error(step, err)
	}
	step, err = login.Step(t.Context(), math.MaxInt64)
	if _, ok := step.(*cliauth.Tokens); !ok || err != nil {
		t.Error(step, err)
	}
}

func TestManyCloseAtOnce(t *testing.T) {
	t.Parallel()
	server := authserver.Silent(t, "token")
	client := server.Client(t)
	login := started(t, client)
	call := poll(login, t.Context())
	server.WaitFor(t, "token", 1)
	call.endsAtOnce(t, func() {
		var all sync.WaitGroup
		defer all.Wait()
		for range 20 {
			all.Add(1)
			go func() {
				defer all.Done()
				login.Cancel()
				if err := errors.Join(login.Close(), client.Close()); err != nil {
					t.Error(err)
				}
			}()
		}
	}, cliauth.ErrCancelled)
	_, err := login.Poll(t.Context(), nil)
	isError(t, err, cliauth.ErrClosed)
	isError(t, client.Revoke(t.Context(), cliauth.NewSecret("t")), cliauth.ErrClosed)
}
