package cliauth_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"cliauth"
	"cliauth/internal/authserver"
)

// ends are the ways in which a program ends a call.
var ends = map[string]func(t *testing.T, login *cliauth.Login) (ctx context.Context, end func(), targets []error){
	"cancel": func(t *testing.T, _ *cliauth.Login) (context.Context, func(), []error) {
		ctx, cancel := context.WithCancel(t.Context())
		return ctx, cancel, []error{cliauth.ErrCancelled, context.Canceled}
	},
	"cause": func(t *testing.T, _ *cliauth.Login) (context.Context, func(), []error) {
		why := errors.New("the window was closed")
		ctx, cancel := context.WithCancelCause(t.Context())
		return ctx, func() { cancel(why) }, []error{cliauth.ErrCancelled, context.Canceled, why}
	},
	"Login.Cancel": func(t *testing.T, login *cliauth.Login) (context.Context, func(), []error) {
		return context.Background(), login.Cancel, []error{cliauth.ErrCancelled}
	},
	"Login.Close": func(t *testing.T, login *cliauth.Login) (context.Context, func(), []error) {
		return t.Context(), func() { _ = login.Close() }, []error{cliauth.ErrCancelled}
	},
}

func TestEveryEndEndsEveryWaitAtOnce(t *testing.T) {
	t.Parallel()
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			t.Run("asleep", func(t *testing.T) {
				t.Parallel()
				login := started(t, authserver.Scripted(t, "token", busyForAMinute).Client(t))
				ctx, end, targets := end(t, login)
				asleep(t, login, ctx).endsAtOnce(t, end, targets...)
			})
			t.Run("in a poll", func(t *testing.T) {
				t.Parallel()
				server := authserver.Silent(t, "token")
				login := started(t, server.Client(t))
				ctx, end, targets := end(t, login)
				call := poll(login, ctx)
				server.WaitFor(t, "token", 1)
				call.endsAtOnce(t, end, targets...)
				eventually(t, "the connection is closed", func() bool { return server.Requests("token")[0].Gone != nil })
			})
			t.Run("in the start", func(t *testing.T) {
				t.Parallel()
				server := authserver.Silent(t, "device")
				login := server.Client(t).Login()
				defer login.Close()
				ctx, end, targets := end(t, login)
				call := inBackground(func() (*cliauth.Prompt, error) { return login.Start(ctx) })
				server.WaitFor(t, "device", 1)
				call.endsAtOnce(t, end, targets...)
			})
			t.Run("in discovery", func(t *testing.T) {
				t.Parallel()
				server := authserver.Silent(t, "discovery_oauth")
				login := server.ClientByIssuer(t).Login()
				defer login.Close()
				ctx, end, targets := end(t, login)
				call := inBackground(func() (*cliauth.Prompt, error) { return login.Start(ctx) })
				server.WaitFor(t, "discovery_oauth", 1)
				call.endsAtOnce(t, end, targets...)
			})
			t.Run("in the handshake", func(t *testing.T) {
				t.Parallel()
				server := authserver.New(t, settings{"tls": "handshake_hang"})
				login := server.Client(t).Login()
				defer login.Close()
				ctx, end, targets := end(t, login)
				call := inBackground(func() (*cliauth.Prompt, error) { return login.Start(ctx) })
				eventually(t, "a connection", func() bool { return len(server.Connections()) > 0 })
				call.endsAtOnce(t, end, targets...)
			})
		})
	}
}

func TestACallThatAnotherOneIsWaitedForBy(t *testing.T) {
	t.Parallel()
	// Both requests hang, and only one of the two calls blocks in the library.
	server := authserver.Silent(t, "token")
	client := server.Client(t)
	one, other := started(t, client), started(t, client)
	oneCtx, endOne := context.WithCancel(t.Context())
	otherCtx, endOther := context.WithCancel(t.Context())
	onePoll, otherPoll := poll(one, oneCtx), poll(other, otherCtx)
	server.WaitFor(t, "token", 2)
	otherPoll.endsAtOnce(t, endOther, cliauth.ErrCancelled)
	onePoll.endsAtOnce(t, endOne, cliauth.ErrCancelled)
}

func TestADeadlineEndsTheLogin(t *testing.T) {
	t.Parallel()
	login := started(t, authserver.New(t, settings{"interval": 60}).Client(t))
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	_, err := login.Poll(ctx, nil)
	if took := time.Since(began); took > soon {
		t.Errorf("it took %v", took)
	}
	found := isError(t, err, cliauth.ErrCancelled, context.DeadlineExceeded)
	if errors.Is(err, context.Canceled) || found.Error() != "the login was cancelled: context deadline exceeded" {
		t.Error(err)
	}
	// The login was cancelled, not only the call.
	_, err = login.Poll(t.Context(), nil)
	isError(t, err, cliauth.ErrCancelled)
	if errors.Is(err, context.DeadlineExceeded) {
		t.Error("the new context is all right")
	}
}

func TestAContextThatHasEndedSendsNothing(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	client := server.Client(t)
	login := client.Login()
	defer login.Close()
	_, err := login.Start(ctx)
	isError(t, err, cliauth.ErrCancelled, context.Canceled)
	_, err = client.Refresh(ctx, cliauth.NewSecret("token"))
	isError(t, err, cliauth.ErrCancelled, context.Canceled)
	if len(server.Requests("device"))+len(server.Requests("refresh")) > 0 {
		t.Error("something was sent")
	}
}

func TestCancelBeforeTheStart(t *testing.T) {
	t.Parallel()
	login := authserver.New(t, nil).Client(t).Login()
	defer login.Close()
	login.Cancel()
	login.Cancel()
	_, err := login.Start(t.Context())
	isError(t, err, cliauth.ErrCancelled)
	_, err = login.Poll(t.Context(), nil)
	isError(t, err, cliauth.ErrCancelled)
}

func TestStartAfterAFailureReturnsItsError(t *testing.T) {
	t.Parallel()
	cancelled := started(t, authserver.New(t, nil).Client(t))
	cancelled.Cancel()
	_, err := cancelled.Start(t.Context())
	isError(t, err, cliauth.ErrCancelled)

	denied := started(t, authserver.New(t, settings{"answer": "deny"}).Client(t))
	_, err = denied.Poll(t.Context(), nil)
	isError(t, err, cliauth.ErrDenied)
	_, err = denied.Start(t.Context())
	isError(t, err, cliauth.ErrDenied)
	if denied.Prompt() == nil {
		t.Error("the prompt is gone")
	}
}

func TestCancelAfterTheOutcomeChangesNothing(t *testing.T) {
	t.Parallel()
	login := started(t, authserver.New(t, settings{"answer": "approve"}).Client(t))
	first, err := login.Poll(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	login.Cancel()
	if again, err := login.Poll(t.Context(), nil); err != nil || !again.AccessToken.Equal(first.AccessToken) {
		t.Error(err)
	}
}

// grantedUnseen returns a login whose tokens arrived while no call waited for them.
func grantedUnseen(t *testing.T) (*authserver.Server, *cliauth.Login) {
	t.Helper()
	for {
		server := authserver.Scripted(t, "token", settings{"grant": true, "delay_body": 1})
		login := started(t, server.ClientByIssuer(t, cliauth.WithScopes("offline_access")))
		var last cliauth.Step
		for len(server.Requests("token")) == 0 {
			step, err := login.Step(t.Context(), 10*time.Millisecond)
			if err != nil {
				t.Fatal(err)
			}
			last = step
		}
		// On a busy machine, the step that sent the request may have taken so long that it saw the response.
		if _, seen := last.(*cliauth.Tokens); !seen {
			eventually(t, "the response was sent", func() bool { return server.Requests("token")[0].Replied != nil })
			return server, login
		}
	}
}

func TestTokensThatComeTooLateAreRevoked(t *testing.T) {
	t.Parallel()
	ended := func() context.Context {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		return ctx
	}
	for name, end := range map[string]func(*testing.T, *cliauth.Login){
		"Cancel": func(t *testing.T, login *cliauth.Login) {
			login.Cancel()
			_, err := login.Poll(t.Context(), nil)
			isError(t, err, cliauth.ErrCancelled)
		},
		"a context, in Poll": func(t *testing.T, login *cliauth.Login) {
			_, err := login.Poll(ended(), nil)
			isError(t, err, cliauth.ErrCancelled, context.Canceled)
		},
		"a context, in Step": func(t *testing.T, login *cliauth.Login) {
			_, err := login.Step(ended(), 0)
			isError(t, err, cliauth.ErrCancelled, context.Canceled)
		},
		"a context, in Start": func(t *testing.T, login *cliauth.Login) {
			_, err := login.Start(ended())
			isError(t, err, cliauth.ErrCancelled, context.Canceled)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, login := grantedUnseen(t)
			end(t, login)
			if count := len(server.Requests("revoke")); count != 1 {
				t.Fatalf("%d revocations", count)
			}
			for range 2 {
				_, err := login.Poll(t.Context(), nil)
				isError(t, err, cliauth.ErrCancelled)
				_, err = login.Step(t.Context(), 0)
				isError(t, err, cliauth.ErrCancelled)
			}
			if count := len(server.Requests("revoke")); count != 1 {
				t.Errorf("%d revocations", count)
			}
		})
	}
	t.Run("Close", func(t *testing.T) {
		t.Parallel()
		server, login := grantedUnseen(t)
		for range 2 {
			_ = login.Close()
			if count := len(server.Requests("revoke")); count != 1 {
				t.Errorf("%d revocations", count)
			}
		}
	})
	t.Run("Close, while a callback runs", func(t *testing.T) {
		t.Parallel()
		server := authserver.New(t, nil)
		login := started(t, server.Client(t))
		_, err := login.Poll(t.Context(), func(cliauth.Event) { _ = login.Close() })
		isError(t, err, cliauth.ErrCancelled)
	})
}

func TestTokensThatWereReturnedAreNotRevoked(t *testing.T) {
	t.Parallel()
	for name, get := range map[string]func(context.Context, *cliauth.Login) error{
		"Poll": func(ctx context.Context, login *cliauth.Login) error {
			_, err := login.Poll(ctx, nil)
			return err
		},
		"Step": func(ctx context.Context, login *cliauth.Login) error {
			_, err := login.Step(ctx, time.Minute)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := authserver.New(t, settings{"answer": "approve"})
			client := server.ClientByIssuer(t, cliauth.WithScopes("offline_access"))
			login := started(t, client)
			ctx, cancel := context.WithCancel(t.Context())
			if err := get(ctx, login); err != nil {
				t.Fatal(err)
			}
			cancel()
			login.Cancel()
			// The context has already ended.
			tokens, err := login.Poll(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			_ = login.Close()
			if count := len(server.Requests("revoke")); count != 0 {
				t.Errorf("%d revocations", count)
			}
			if _, err := client.Refresh(t.Context(), tokens.RefreshToken); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCancelLeavesNoGoroutine(t *testing.T) {
	server := authserver.Silent(t, "token")
	client := server.Client(t)
	before := runtime.NumGoroutine()
	for range 10 {
		login := started(t, client)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		_, err := login.Poll(ctx, nil)
		cancel()
		isError(t, err, cliauth.ErrCancelled)
		// A context that could end but does not.
		ctx, cancel = context.WithCancel(t.Context())
		_, err = login.Poll(ctx, nil)
		isError(t, err, cliauth.ErrCancelled)
		// The goroutine that cancelled may still be at its last instruction.
		eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
		cancel()
	}
}
