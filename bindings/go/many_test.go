package cliauth_test

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cliauth"
	"cliauth/internal/authserver"
)

// handful is how many threads a process may have while it waits for any number of logins: those of Go itself, and those
// that block in the library.
const handful = 40

// mostThreads counts the threads of the process until stop is called, which returns the highest count.
func mostThreads(t *testing.T) (stop func() int) {
	most, done := 0, make(chan struct{})
	var looking sync.WaitGroup
	looking.Add(1)
	go func() {
		defer looking.Done()
		for {
			most = max(most, threads(t))
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() int {
		close(done)
		looking.Wait()
		return most
	}
}

// logInMany runs count logins at once. It counts those that succeed, and the events other than [cliauth.Pending].
func logInMany(ctx context.Context, clients []*cliauth.Client, count int) (succeeded, troubles int64) {
	var good, bad atomic.Int64
	var all sync.WaitGroup
	for i := range count {
		all.Add(1)
		go func() {
			defer all.Done()
			login := clients[i%len(clients)].Login()
			defer login.Close()
			if _, err := login.Start(ctx); err != nil {
				return
			}
			_, err := login.Poll(ctx, func(event cliauth.Event) {
				if _, ok := event.(cliauth.Pending); !ok {
					bad.Add(1)
				}
			})
			if err == nil {
				good.Add(1)
			}
		}()
	}
	all.Wait()
	return good.Load(), bad.Load()
}

func TestManyLoginsNeedFewThreads(t *testing.T) {
	for name, test := range map[string]struct {
		logins, clients, interval int
		big                       bool
	}{
		"200 of one client":       {200, 1, 1, false},
		"200 of 50 clients":       {200, 50, 1, false},
		"10,000 logins at a time": {10_000, 1, 5, true},
	} {
		t.Run(name, func(t *testing.T) {
			if test.big && (raceDetector || testing.Short()) {
				t.Skip("too much for the race detector")
			}
			server := authserver.New(t, settings{
				"interval": test.interval, "answer": "approve", "answer_after_polls": 1, "expires_in": 3600,
				"log": false, "alg": "es256",
			})
			var clients []*cliauth.Client
			for range test.clients {
				clients = append(clients, server.Client(t))
			}
			stop := mostThreads(t)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			succeeded, troubles := logInMany(ctx, clients, test.logins)
			if most := stop(); most > handful {
				t.Errorf("%d threads", most)
			}
			if succeeded != int64(test.logins) || troubles != 0 {
				t.Errorf("%d succeeded, %d events tell of trouble", succeeded, troubles)
			}
		})
	}
}

func TestManyHungRequestsNeedFewThreads(t *testing.T) {
	server := authserver.Silent(t, "device")
	var clients []*cliauth.Client
	for range 50 {
		clients = append(clients, server.Client(t))
	}
	stop := mostThreads(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	began := time.Now()
	if succeeded, _ := logInMany(ctx, clients, 500); succeeded != 0 {
		t.Error("a silent server answered")
	}
	if took := time.Since(began); took > time.Second+2*soon {
		t.Errorf("they ended after %v", took)
	}
	if most := stop(); most > handful {
		t.Errorf("%d threads", most)
	}
}

func TestAHungLoginHoldsUpNoOther(t *testing.T) {
	hung := authserver.Silent(t, "token")
	client := hung.Client(t)
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for range 20 {
		login := started(t, client)
		all.Add(1)
		go func() {
			defer all.Done()
			_, _ = login.Poll(ctx, nil)
		}()
	}
	defer all.Wait()
	defer cancel()
	hung.WaitFor(t, "token", 20)
	// The same client. The server responds to its next request.
	for range 10 {
		login := client.Login()
		began := time.Now()
		if _, err := login.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took > soon {
			t.Errorf("a start took %v", took)
		}
		_ = login.Close()
	}
}

func TestNothingGrows(t *testing.T) {
	server := authserver.New(t, settings{
		"answer": "approve", "interval": 0, "enforce_interval": 0, "log": false, "alg": "es256",
		"script": settings{"device": settings{"steps": []settings{{"merge": settings{"interval": 1}}}, "then": "repeat"}},
	})
	client := server.Client(t)
	round := func() {
		if succeeded, _ := logInMany(t.Context(), []*cliauth.Client{client}, 250); succeeded != 250 {
			t.Fatalf("only %d succeeded", succeeded)
		}
	}
	round()
	goroutines, open := runtime.NumGoroutine(), files(t)
	for range 4 {
		round()
	}
	eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines })
	// Pooled connections are opened and closed. There must not be one for each login.
	if now := files(t); now > open+64 {
		t.Errorf("%d files, before %d", now, open)
	}
	if now := threads(t); now > handful {
		t.Errorf("%d threads", now)
	}
}

func TestWhatIsForgottenIsGivenBack(t *testing.T) {
	server := authserver.New(t, nil)
	open := func() (count int) {
		for _, connection := range server.Connections() {
			if connection.Closed == nil {
				count++
			}
		}
		return count
	}
	for range 20 {
		client, err := cliauth.New(cliauth.AuthKit("client_test"), server.Options(cliauth.WithAPIBase(server.URL))...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := client.Login().Start(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if count := len(server.Connections()); count != 20 {
		t.Fatalf("%d connections", count)
	}
	collected(t, "the connections of 20 clients are closed", func() bool { return open() == 0 })
}
