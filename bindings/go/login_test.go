package cliauth_test

import (
	"context"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"cliauth"
	"cliauth/internal/authserver"
)

func TestALogin(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, settings{"answer": "approve", "answer_after_polls": 1})
	login := server.Client(t, cliauth.WithProduct("my-cli/1.2")).Login()
	defer login.Close()
	if login.Prompt() != nil {
		t.Error("a prompt before there is one")
	}
	prompt, err := login.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := login.Start(t.Context()); again != prompt || login.Prompt() != prompt || err != nil {
		t.Error("Start gives another prompt", err)
	}
	if prompt.Product != "my-cli" || prompt.Host != "127.0.0.1" || prompt.ExpiresIn != 5*time.Minute {
		t.Errorf("%+v", prompt)
	}
	for _, text := range []string{prompt.Text(), prompt.TextForStderr(), prompt.TextWrapped(40), prompt.TextWrapped(-1)} {
		if !strings.Contains(text, prompt.UserCode) || !strings.Contains(text, prompt.VerificationURI) ||
			!strings.HasSuffix(text, "\n") {
			t.Errorf("%q", text)
		}
	}
	if why := prompt.OpenBrowser(); why == nil || why.Error() == "" {
		t.Error("a browser was opened by a test")
	}
	var events []cliauth.Event
	tokens, err := login.Poll(t.Context(), func(event cliauth.Event) { events = append(events, event) })
	if err != nil {
		t.Fatal(err)
	}
	if len(events) != 1 {
		t.Fatalf("%#v", events)
	}
	pending, ok := events[0].(cliauth.Pending)
	if !ok || pending.NextPollIn < time.Second || pending.NextPollIn > 2*time.Second ||
		pending.ExpiresIn < 200*time.Second {
		t.Errorf("%#v", events[0])
	}
	if tokens.AccessToken.IsZero() || tokens.RefreshToken.IsZero() {
		t.Errorf("%+v", tokens)
	}
	left := time.Until(tokens.ExpiresAt)
	if left < 4*time.Minute || left > 5*time.Minute || tokens.ExpiresIn != 5*time.Minute {
		t.Error(tokens.ExpiresAt, tokens.ExpiresIn)
	}
	if user := tokens.Other["user"]; !strings.Contains(user.Expose(), "Ada") {
		t.Error(user.Expose())
	}
	again, err := login.Poll(t.Context(), nil)
	if err != nil || !again.AccessToken.Equal(tokens.AccessToken) {
		t.Error("Poll gives another outcome", err)
	}
}

func TestTokensWithScopes(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, settings{"answer": "approve"})
	login := started(t, server.ClientByIssuer(t, cliauth.WithScopes("openid", "offline_access")))
	tokens, err := login.Poll(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(tokens.Scopes, []string{"openid", "offline_access"}) ||
		!strings.EqualFold(tokens.TokenType, "Bearer") || tokens.IDToken.IsZero() {
		t.Errorf("%+v", tokens)
	}
	if len(tokens.Other) != 0 || strings.Count(tokens.IDToken.Expose(), ".") != 2 {
		t.Errorf("%+v", tokens)
	}
}

func TestWhatTheServerLeavesOut(t *testing.T) {
	t.Parallel()
	bare := settings{"json": settings{"access_token": "a", "token_type": "bearer"}}
	server := authserver.New(t, settings{
		"verification_uri_complete": false, "script": settings{"token": []any{bare}},
	})
	login := started(t, server.ClientByIssuer(t))
	tokens, err := login.Poll(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if !tokens.RefreshToken.IsZero() || !tokens.IDToken.IsZero() || !tokens.ExpiresAt.IsZero() ||
		tokens.Scopes != nil || tokens.Identity != nil {
		t.Errorf("%+v", tokens)
	}
	if prompt := login.Prompt(); prompt.VerificationURIComplete != "" || prompt.Product != "" {
		t.Errorf("%+v", prompt)
	}
}

func TestALifetimeThatGoCannotSay(t *testing.T) {
	t.Parallel()
	// AuthKit's tokens contain their own expiry: {"exp":99999999999999}
	token := "e30.eyJleHAiOjk5OTk5OTk5OTk5OTk5fQ.c2ln"
	server := authserver.Scripted(t, "token", settings{"grant": true, "merge": settings{"access_token": token}})
	tokens, err := started(t, server.Client(t)).Poll(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if tokens.ExpiresIn < 200*365*24*time.Hour || tokens.ExpiresAt.Year() != 9999 {
		t.Error(tokens.ExpiresIn, tokens.ExpiresAt)
	}
	if _, err := tokens.ExpiresAt.MarshalJSON(); err != nil {
		t.Error(err)
	}
}

func TestTroubleIsTold(t *testing.T) {
	t.Parallel()
	server := authserver.Scripted(t, "token",
		settings{"status": 502, "body": "<html>", "headers": settings{"x-request-id": "req\t1"}},
		settings{"reset": "before"}, "authorization_pending", "slow_down")
	login := started(t, server.Client(t))
	ctx, enough := context.WithCancel(t.Context())
	var told []string
	_, err := login.Poll(ctx, func(event cliauth.Event) {
		switch event := event.(type) {
		case cliauth.Retrying:
			told = append(told, fmt.Sprintf("%s %d %v %q", event.Reason, event.Attempt, event.RetryIn >= time.Second, event.RequestID))
		case cliauth.SlowedDown:
			told = append(told, fmt.Sprint("slowed down ", event.Interval))
			enough()
		default:
			told = append(told, fmt.Sprintf("%T", event))
		}
	})
	isError(t, err, cliauth.ErrCancelled)
	expected := []string{`http_502 1 true "req 1"`, `connection_lost 2 true ""`, "cliauth.Pending", "slowed down 6s"}
	if !reflect.DeepEqual(told, expected) {
		t.Errorf("%q", told)
	}
}

func TestPollNeedsAStart(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, nil)
	login := server.Client(t).Login()
	defer login.Close()
	_, err := login.Poll(t.Context(), nil)
	isError(t, err, cliauth.ErrMisuse)
	if found := server.Requests("device"); len(found) != 0 {
		t.Error("it sent something")
	}
}

func TestPollAfterAFailedStartGivesTheSameOutcome(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, settings{"script": settings{"device": []settings{{"error": "invalid_client"}}}})
	login := server.Client(t).Login()
	defer login.Close()
	_, err := login.Start(t.Context())
	first := isError(t, err, cliauth.ErrRejected)
	_, err = login.Poll(t.Context(), nil)
	if again := isError(t, err, cliauth.ErrRejected); again.Error() != first.Error() {
		t.Errorf("%v, and then %v", first, again)
	}
}

// isBusy makes every call that would drive the login. Each of them must be refused.
func isBusy(t *testing.T, login *cliauth.Login) {
	t.Helper()
	_, err := login.Start(t.Context())
	isError(t, err, cliauth.ErrBusy)
	_, err = login.Poll(t.Context(), nil)
	isError(t, err, cliauth.ErrBusy)
	_, err = login.Step(t.Context(), 0)
	isError(t, err, cliauth.ErrBusy)
	_, err = login.Step(t.Context(), time.Minute)
	isError(t, err, cliauth.ErrBusy)
}

func TestOneCallDrivesALogin(t *testing.T) {
	t.Parallel()
	t.Run("Start", func(t *testing.T) {
		t.Parallel()
		server := authserver.Silent(t, "device")
		login := server.Client(t).Login()
		defer login.Close()
		ctx, cancel := context.WithCancel(t.Context())
		first := inBackground(func() (*cliauth.Prompt, error) { return login.Start(ctx) })
		server.WaitFor(t, "device", 1)
		isBusy(t, login)
		first.endsAtOnce(t, cancel, cliauth.ErrCancelled)
	})
	t.Run("Poll", func(t *testing.T) {
		t.Parallel()
		login := started(t, authserver.Scripted(t, "token", busyForAMinute).Client(t))
		ctx, cancel := context.WithCancel(t.Context())
		first := asleep(t, login, ctx)
		isBusy(t, login)
		first.endsAtOnce(t, cancel, cliauth.ErrCancelled)
	})
	t.Run("Step", func(t *testing.T) {
		t.Parallel()
		server := authserver.Silent(t, "token")
		login := started(t, server.Client(t))
		ctx, cancel := context.WithCancel(t.Context())
		first := inBackground(func() (cliauth.Step, error) { return login.Step(ctx, time.Minute) })
		server.WaitFor(t, "token", 1)
		isBusy(t, login)
		first.endsAtOnce(t, cancel, cliauth.ErrCancelled)
	})
}

func TestACallHasTheLoginDuringItsCallback(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, settings{"answer": "approve", "answer_after_polls": 1})
	login := started(t, server.Client(t))
	called, goOn := make(chan struct{}), make(chan struct{})
	first := inBackground(func() (*cliauth.Tokens, error) {
		return login.Poll(t.Context(), func(cliauth.Event) {
			close(called)
			<-goOn
		})
	})
	<-called
	isBusy(t, login)
	close(goOn)
	if tokens, err := first.wait(t); err != nil || tokens.AccessToken.IsZero() {
		t.Error(err)
	}
}

func TestACallbackThatDrivesTheLogin(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, settings{"answer": "approve", "answer_after_polls": 2})
	login := started(t, server.Client(t))
	called := 0
	tokens, err := login.Poll(t.Context(), func(cliauth.Event) {
		called++
		isBusy(t, login)
		if login.Prompt() == nil {
			t.Error("no prompt")
		}
	})
	if err != nil || tokens.AccessToken.IsZero() || called != 2 {
		t.Error(called, err)
	}
	if polls := server.Requests("token"); len(polls) != 3 {
		t.Errorf("%d polls", len(polls))
	}
}

func TestStepByStep(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, settings{"interval": 3, "answer": "approve", "answer_after_polls": 1})
	login := server.Client(t).Login()
	defer login.Close()
	var found []string
	waited := false
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		began := time.Now()
		step, err := login.Step(t.Context(), 50*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > soon {
			t.Fatalf("a step took %v", took)
		}
		switch step := step.(type) {
		case cliauth.Waiting:
			waited = waited || step.DueIn > 0
			continue
		case *cliauth.Tokens:
			again, err := login.Step(t.Context(), 0)
			if err != nil || !again.(*cliauth.Tokens).AccessToken.Equal(step.AccessToken) {
				t.Error("another outcome", err)
			}
			end = time.Now()
		}
		found = append(found, fmt.Sprintf("%T", step))
	}
	if !waited || !reflect.DeepEqual(found, []string{"*cliauth.Prompt", "cliauth.Pending", "*cliauth.Tokens"}) {
		t.Error(waited, found)
	}
	if polls := server.Requests("token"); len(polls) != 2 {
		t.Errorf("%d polls", len(polls))
	}
}

func TestAStepOfNothingDoesNotBlock(t *testing.T) {
	t.Parallel()
	login := authserver.Silent(t, "device").Client(t).Login()
	defer login.Close()
	for range 20 {
		began := time.Now()
		step, err := login.Step(t.Context(), 0)
		if err != nil || step != cliauth.Step(cliauth.Waiting{}) {
			t.Fatal(step, err)
		}
		if took := time.Since(began); took > soon {
			t.Fatalf("it took %v", took)
		}
	}
}

// goroutine is the number of the running one, as a stack trace shows it.
func goroutine() string {
	text := make([]byte, 64)
	return strings.Fields(string(text[:runtime.Stack(text, false)]))[1]
}

func TestCallbacksComeOnTheCallersGoroutine(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, settings{"answer": "approve", "answer_after_polls": 2})
	login := started(t, server.Client(t))
	mine, called := goroutine(), 0
	if _, err := login.Poll(t.Context(), func(cliauth.Event) {
		called++
		if goroutine() != mine {
			t.Error("another goroutine")
		}
	}); err != nil || called != 2 {
		t.Error(called, err)
	}
}

func TestAPanicPassesAndTheLoginGoesOn(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, settings{"answer": "approve", "answer_after_polls": 1})
	login := started(t, server.Client(t))
	thrown := &struct{ what string }{"mine"}
	func() {
		defer func() {
			if caught := recover(); caught != any(thrown) {
				t.Errorf("caught %v", caught)
			}
		}()
		_, _ = login.Poll(t.Context(), func(cliauth.Event) { panic(thrown) })
	}()
	if tokens, err := login.Poll(t.Context(), nil); err != nil || tokens.AccessToken.IsZero() {
		t.Error(err)
	}
}

func TestALoginCanBeCancelledAfterAPanic(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, nil)
	login := started(t, server.Client(t))
	func() {
		defer func() { _ = recover() }()
		_, _ = login.Poll(t.Context(), func(cliauth.Event) { panic("mine") })
	}()
	login.Cancel()
	_, err := login.Poll(t.Context(), nil)
	isError(t, err, cliauth.ErrCancelled)
}

func TestACallbackThatLeavesItsGoroutine(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, settings{"answer": "approve", "answer_after_polls": 1})
	login := started(t, server.Client(t))
	left := make(chan struct{})
	go func() {
		defer close(left)
		_, _ = login.Poll(t.Context(), func(cliauth.Event) { runtime.Goexit() })
	}()
	<-left
	if _, err := login.Poll(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

func TestACallbackMayCancel(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, nil)
	login := started(t, server.Client(t))
	_, err := login.Poll(t.Context(), func(cliauth.Event) { login.Cancel() })
	isError(t, err, cliauth.ErrCancelled)
	if polls := server.Requests("token"); len(polls) != 1 {
		t.Errorf("%d polls", len(polls))
	}
}
