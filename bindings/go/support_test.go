package cliauth_test

import (
	"context"
	"errors"
	"os"
	"runtime"
	"testing"
	"time"

	"cliauth"
	"cliauth/internal/authserver"
)

type settings = authserver.Settings

// soon is what counts as "at once". A late result would take minutes here, so a busy machine cannot be mistaken for
// one.
const soon = 20 * time.Second

func TestMain(m *testing.M) { authserver.Main(m) }

// started returns a login that has its prompt.
func started(t *testing.T, client *cliauth.Client) *cliauth.Login {
	t.Helper()
	login := client.Login()
	t.Cleanup(func() { _ = login.Close() })
	if _, err := login.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return login
}

// isError returns the *cliauth.Error, which must match each of the targets.
func isError(t *testing.T, err error, targets ...error) *cliauth.Error {
	t.Helper()
	for _, target := range targets {
		if !errors.Is(err, target) {
			t.Fatalf("%v is not %v", err, target)
		}
	}
	var found *cliauth.Error
	if !errors.As(err, &found) {
		t.Fatalf("%v is no *cliauth.Error", err)
	}
	return found
}

// later is a call that runs in a goroutine of its own.
type later[T any] struct {
	done  chan struct{}
	value T
	err   error
	ended time.Time
}

func inBackground[T any](call func() (T, error)) *later[T] {
	l := &later[T]{done: make(chan struct{})}
	go func() {
		defer close(l.done)
		l.value, l.err = call()
		l.ended = time.Now()
	}()
	return l
}

// wait waits until the call returns.
func (l *later[T]) wait(t *testing.T) (T, error) {
	t.Helper()
	select {
	case <-l.done:
		return l.value, l.err
	case <-time.After(time.Minute):
		t.Fatal("the call does not come back")
		panic("unreachable")
	}
}

// endsAtOnce calls end, after which the call must return with these errors.
func (l *later[T]) endsAtOnce(t *testing.T, end func(), targets ...error) {
	t.Helper()
	select {
	case <-l.done:
		t.Fatalf("it ended too early: %v", l.err)
	default:
	}
	began := time.Now()
	end()
	_, err := l.wait(t)
	if took := l.ended.Sub(began); took > soon {
		t.Errorf("it took %v", took)
	}
	isError(t, err, targets...)
}

func poll(login *cliauth.Login, ctx context.Context) *later[*cliauth.Tokens] {
	return inBackground(func() (*cliauth.Tokens, error) { return login.Poll(ctx, nil) })
}

// busyForAMinute makes a login sleep for a minute after its next poll.
var busyForAMinute = settings{"status": 503, "body": "busy", "headers": settings{"Retry-After": "60"}}

// asleep polls a login of a server that is busy for a minute. It returns when the poll has failed.
func asleep(t *testing.T, login *cliauth.Login, ctx context.Context) *later[*cliauth.Tokens] {
	t.Helper()
	polled := make(chan struct{})
	call := inBackground(func() (*cliauth.Tokens, error) {
		return login.Poll(ctx, func(cliauth.Event) { close(polled) })
	})
	select {
	case <-polled:
	case <-call.done:
		t.Fatal(call.err)
	}
	return call
}

// eventually waits until isTrue returns true.
func eventually(t *testing.T, what string, isTrue func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !isTrue(); {
		if time.Now().After(end) {
			t.Fatalf("it did not come about: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// collected collects garbage until isTrue returns true.
func collected(t *testing.T, what string, isTrue func() bool) {
	t.Helper()
	eventually(t, what, func() bool {
		runtime.GC()
		return isTrue()
	})
}

// collectAll collects what is garbage now, and lets its cleanups run.
func collectAll(t *testing.T) {
	t.Helper()
	for range 3 {
		cleaned := make(chan struct{})
		runtime.AddCleanup(new(*int), func(cleaned chan struct{}) { close(cleaned) }, cleaned)
		collected(t, "garbage", func() bool {
			select {
			case <-cleaned:
				return true
			default:
				return false
			}
		})
	}
}

func entries(t *testing.T, folder string) int {
	t.Helper()
	found, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	return len(found)
}

func threads(t *testing.T) int { return entries(t, "/proc/self/task") }
func files(t *testing.T) int   { return entries(t, "/proc/self/fd") }
