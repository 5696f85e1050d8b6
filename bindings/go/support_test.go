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

// soon is "at once". What would come late here takes minutes, so that a busy machine cannot be taken for it.
const soon = 20 * time.Second

func TestMain(m *testing.M) { authserver.Main(m) }

// started gives a login that has its prompt.
func started(t *testing.T, client *cliauth.Client) *cliauth.Login {
	t.Helper()
	login := client.Login()
	t.Cleanup(func() { _ = login.Close() })
	if _, err := login.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return login
}

// isError finds the error, which has to match each of these.
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

// later is a call in a goroutine of its own.
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

// wait waits for its end.
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

// endsAtOnce calls end, after which the call has to end with these errors.
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

// eventually waits until it is true, which has to come about.
func eventually(t *testing.T, what string, isTrue func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !isTrue(); {
		if time.Now().After(end) {
			t.Fatalf("it did not come about: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// collected waits until garbage is gone that makes this true.
func collected(t *testing.T, what string, isTrue func() bool) {
	t.Helper()
	eventually(t, what, func() bool {
		runtime.GC()
		return isTrue()
	})
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
