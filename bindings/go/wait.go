package cliauth

import (
	"context"
	"sync/atomic"
	"time"
)

// How this package waits.
//
// Between polls a login sleeps on a timer of Go's and is not in the library at all. While a request is under way, some
// goroutine must be inside the library, which looks at its sockets only then. It moves the requests of all logins of its client
// along, so one goroutine of a client at a time blocks there, on a thread. The others ask for their responses at intervals, which
// blocks no thread for long, and take its place one after the other.

const (
	// maxThreads is how many goroutines of the process are in the library at once for each of the reasons below. A thread each.
	maxThreads = 8

	// A request that has been under way for some time is asked for again after a quarter of that time. Where thousands are
	// under way, asking must not become all that is done.
	minInterval = 2 * time.Millisecond
	maxInterval = 250 * time.Millisecond
	perRequest  = 100 * time.Microsecond

	// maxSleep is the longest wait in one piece: Go's timers stand still while the machine is suspended, the library's clock
	// goes on.
	maxSleep = 5 * time.Second
)

// Slots of the process: who holds one is in the library.
var (
	// blockingSlots are for steps that wait for a response.
	blockingSlots = make(chan struct{}, maxThreads)
	// shortSlots are for steps that do not wait. They may still have to read the system's certificates.
	shortSlots = make(chan struct{}, maxThreads)
	// cancelledSlots are for steps of a cancelled login, which may have to revoke a token.
	cancelledSlots = make(chan struct{}, maxThreads)
)

// limits bound what the logins and requests of one client do in the library at once.
type limits struct {
	// Of steps that wait, and of steps that do not, there is one at a time: threads that wait for each other in the library
	// are no use.
	blocking, short chan struct{}
	// requests counts those under way.
	requests atomic.Int64
}

func newLimits() *limits {
	return &limits{blocking: make(chan struct{}, 1), short: make(chan struct{}, 1)}
}

// enter waits until a step may be taken that does not wait. The caller calls leave after it.
func (l *limits) enter(cancelled bool) (leave func()) {
	if cancelled {
		cancelledSlots <- struct{}{}
		return func() { <-cancelledSlots }
	}
	l.short <- struct{}{}
	shortSlots <- struct{}{}
	return func() {
		<-shortSlots
		<-l.short
	}
}

// waiter is how one call waits.
type waiter struct {
	limits    *limits
	cancelled <-chan struct{}
	// until is when to return without a result; zero is never.
	until time.Time
	timer *time.Timer
}

// after is time.After with a timer that is used again and again.
func (w *waiter) after(d time.Duration) <-chan time.Time {
	if w.timer == nil {
		w.timer = time.NewTimer(d)
	} else {
		w.timer.Reset(d)
	}
	return w.timer.C
}

// bounded is d, or the time that is left where that is less.
func (w *waiter) bounded(d time.Duration) time.Duration {
	if !w.until.IsZero() {
		d = min(d, time.Until(w.until))
	}
	return max(d, 0)
}

// timeIsUp reports whether to return without a result.
func (w *waiter) timeIsUp() bool { return !w.until.IsZero() && w.bounded(maxSleep) == 0 }

// sleep waits for d while no request is under way. It returns early if time is up, the wait is cancelled or the machine was
// suspended.
func (w *waiter) sleep(d time.Duration) {
	for began := time.Now(); d > 0 && !w.timeIsUp() && !wasSuspended(began); {
		piece := w.bounded(min(d, maxSleep))
		select {
		case <-w.after(piece):
			d -= piece
		case <-w.cancelled:
			return
		}
	}
}

// wasSuspended compares the clock that stands still while the machine is suspended with the time of day. If that was set, it
// does no harm to be wrong.
func wasSuspended(since time.Time) bool {
	now := time.Now()
	running, passed := now.Sub(since), now.Round(0).Sub(since.Round(0))
	return (passed - running).Abs() > time.Second
}

// awaitResponse takes steps until one has a result, time is up or the wait is cancelled. A step may block for maxWait.
func (w *waiter) awaitResponse(step func(maxWait time.Duration) (done bool)) {
	began := time.Now()
	w.limits.requests.Add(1)
	defer w.limits.requests.Add(-1)
	for done := false; !done && !w.timeIsUp(); {
		interval := w.interval(time.Since(began))
		select {
		case w.limits.blocking <- struct{}{}:
			done = w.block(interval, step)
			<-w.limits.blocking
		case <-w.after(interval):
			done = step(0)
		case <-w.cancelled:
			return
		}
	}
}

// interval is the time between two steps for a request that was sent so long ago.
func (w *waiter) interval(age time.Duration) time.Duration {
	few := max(minInterval, min(age/4, maxInterval))
	many := time.Duration(w.limits.requests.Load()) * perRequest
	return w.bounded(max(few, many))
}

// block takes a step that blocks in the library, if there is a thread for it.
func (w *waiter) block(interval time.Duration, step func(time.Duration) bool) bool {
	select {
	case blockingSlots <- struct{}{}:
		defer func() { <-blockingSlots }()
		return step(interval)
	case <-w.after(interval):
		return step(0)
	case <-w.cancelled:
		return false
	}
}

// isClosed reports whether a channel is closed on which nothing is sent.
func isClosed(channel <-chan struct{}) bool {
	select {
	case <-channel:
		return true
	default:
		return false
	}
}

// cancelWith calls cancel when the context ends. The function that it returns stops that, and waits for a cancel that is being
// called, so that no goroutine is left.
func cancelWith(ctx context.Context, cancel func()) (stop func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	if ctx.Err() != nil {
		// Before anything is sent.
		cancel()
		return func() {}
	}
	called := make(chan struct{})
	stopCalling := context.AfterFunc(ctx, func() {
		defer close(called)
		cancel()
	})
	return func() {
		if !stopCalling() {
			<-called
		}
	}
}
