package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"cliauth"
)

// pause is the time between two cancels, so that they do not affect each other.
const pause = 5 * time.Millisecond

func measureCancel(o *options) (any, error) {
	return measureEnd(o, func(login *cliauth.Login, _ context.CancelFunc) { login.Cancel() })
}

func measureContext(o *options) (any, error) {
	return measureEnd(o, func(_ *cliauth.Login, end context.CancelFunc) { end() })
}

// measureEnd measures the time from end on one goroutine to the return of Poll on another.
func measureEnd(o *options, end func(*cliauth.Login, context.CancelFunc)) (any, error) {
	type outcome struct {
		err error
		at  time.Time
	}
	type waiting struct {
		login   *cliauth.Login
		end     context.CancelFunc
		outcome chan outcome
	}
	var all []waiting
	for range o.logins {
		client, err := o.client()
		if err != nil {
			return nil, err
		}
		defer client.Close()
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		one := waiting{client.Login(), cancel, make(chan outcome, 1)}
		defer one.login.Close()
		if _, err := one.login.Start(ctx); err != nil {
			return nil, err
		}
		go func() {
			_, err := one.login.Poll(ctx, nil)
			one.outcome <- outcome{err, time.Now()}
		}()
		all = append(all, one)
	}
	// Long enough to reach the requested state: asleep, or with a request in flight.
	time.Sleep(o.time)
	var milliseconds []float64
	for _, one := range all {
		time.Sleep(pause)
		ended := time.Now()
		end(one.login, one.end)
		returned := <-one.outcome
		if !errors.Is(returned.err, cliauth.ErrCancelled) {
			return nil, fmt.Errorf("Poll returned %v", returned.err)
		}
		milliseconds = append(milliseconds, returned.at.Sub(ended).Seconds()*1e3)
	}
	return map[string]any{"milliseconds": milliseconds}, nil
}
