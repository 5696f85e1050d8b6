package main

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"time"

	"cliauth"
)

const (
	// period is the server's interval plus the client's guard.
	period = 1050 * time.Millisecond
	// patience is longer than any wait in this program.
	patience = time.Minute
)

// measurePolls measures the cost of one poll.
//
// A client waits at least a second between the polls of one login, so many logins share one client here. One goroutine
// drives the login that is due next, like a tool drives its only login. The starts are staggered, so that polls do not
// overlap. With enough logins, the goroutine never sleeps.
func measurePolls(o *options) (any, error) {
	client, err := o.client()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	ctx := context.Background()
	var waiting queue
	began := time.Now()
	for number := range o.logins {
		time.Sleep(time.Until(began.Add(period * time.Duration(number) / time.Duration(o.logins))))
		login := client.Login()
		defer login.Close()
		if _, err := login.Start(ctx); err != nil {
			return nil, err
		}
		heap.Push(&waiting, due{time.Now().Add(period), login})
	}

	// The first round is not measured. It brings every login into the state in which later rounds find it.
	begin := time.Now().Add(period)
	end := begin.Add(o.time)
	var before, slept time.Duration
	polls, measured := 0, false
	for waiting[0].at.Before(end) {
		next := &waiting[0]
		if !measured && !next.at.Before(begin) {
			measured = true
			before = cpu()
			polls, slept = 0, 0
		}
		slept += max(time.Until(next.at), 0)
		step, err := next.login.Step(ctx, patience)
		if err != nil {
			return nil, err
		}
		pending, ok := step.(cliauth.Pending)
		if !ok {
			return nil, fmt.Errorf("expected every poll to be pending, got %v", step)
		}
		polls++
		next.at = time.Now().Add(pending.NextPollIn)
		heap.Fix(&waiting, 0)
	}
	if !measured {
		return nil, errors.New("no poll was measured")
	}
	spent := cpu() - before
	return map[string]any{
		"polls": polls,
		// The average pause before one poll.
		"slept_s": slept.Seconds() / float64(polls),
		"cpu_us":  spent.Microseconds(),
		"sockets": sockets(),
	}, nil
}

type due struct {
	at    time.Time
	login *cliauth.Login
}

// queue is a heap with the login that is due next at the front.
type queue []due

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].at.Before(q[j].at) }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(one any)      { *q = append(*q, one.(due)) }

func (q *queue) Pop() any {
	last := len(*q) - 1
	one := (*q)[last]
	*q = (*q)[:last]
	return one
}
