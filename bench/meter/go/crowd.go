package main

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"cliauth"
)

// look is the interval in which open sockets and threads are counted.
const look = 50 * time.Millisecond

// measureCrowd runs many simultaneous logins: one client, one goroutine per login.
func measureCrowd(o *options) (any, error) {
	client, err := o.client()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	over, most := make(chan struct{}), make(chan counts)
	go func() { most <- watch(over) }()

	var (
		mu     sync.Mutex
		done   int
		gaps   []float64
		failed = map[cliauth.Kind]int{}
		all    sync.WaitGroup
	)
	began := time.Now()
	all.Add(o.logins)
	for range o.logins {
		go func() {
			defer all.Done()
			seen, err := logIn(client)
			mu.Lock()
			defer mu.Unlock()
			var failure *cliauth.Error
			switch {
			case err == nil:
				done++
				gaps = append(gaps, seen...)
			case errors.As(err, &failure):
				failed[failure.Kind]++
			}
		}()
	}
	all.Wait()
	wall, spent, peak := time.Since(began), cpu(), peakKiB()
	close(over)
	counted := <-most
	found := map[string]any{
		"done":     done,
		"failed":   failed,
		"wall_s":   wall.Seconds(),
		"cpu_s":    spent.Seconds(),
		"peak_kib": peak,
		"sockets":  counted.sockets,
		"threads":  counted.threads,
	}
	if len(gaps) > 0 {
		slices.Sort(gaps)
		found["gap_p99_s"] = gaps[len(gaps)*99/100]
	}
	return found, nil
}

// logIn returns the seconds from each response to the next, including the request between them.
func logIn(client *cliauth.Client) ([]float64, error) {
	ctx := context.Background()
	login := client.Login()
	defer login.Close()
	if _, err := login.Start(ctx); err != nil {
		return nil, err
	}
	last := time.Now()
	gaps := make([]float64, 0, 4)
	answered := func() {
		now := time.Now()
		gaps = append(gaps, now.Sub(last).Seconds())
		last = now
	}
	_, err := login.Poll(ctx, func(cliauth.Event) { answered() })
	if err != nil {
		return nil, err
	}
	answered()
	return gaps, nil
}

type counts struct{ sockets, threads int }

// watch returns the highest numbers observed.
func watch(over <-chan struct{}) counts {
	var most counts
	for {
		most.sockets = max(most.sockets, sockets())
		most.threads = max(most.threads, threads())
		select {
		case <-over:
			return most
		case <-time.After(look):
		}
	}
}
