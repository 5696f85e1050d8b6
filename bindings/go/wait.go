package cliauth

import (
	"context"
	"sync/atomic"
	"time"
)

// How this package waits.
//
// Between polls a login sleeps on a Go timer and is not in the library at all. While a request is in progress, some
// goroutine must be in the library, which only then reads its sockets. That goroutine advances the requests of all
// logins of its client, so only one goroutine of a client at a time blocks there, on a thread. The others check for
// their responses at intervals, which blocks no thread for long, and take over its place one after the other.

const (
	// maxThreads is how many goroutines of the process may be in the library at once for each of the reasons below.
	// Each of them occupies a thread.
	maxThreads = 8

	// A request that has been in progress for some time is checked again after a quarter of that time. With thousands
	// of requests in progress, checking must not take up all the time.
	minInterval = 2 * time.Millisecond
	maxInterval = 250 * time.Millisecond
	perRequest  = 100 * time.Microsecond

	// maxSleep is the longest wait in one piece. Go's timers stop while the machine is suspended; the library's clock
	// does not.
	maxSleep = 5 * time.Second
)

// The slots of the process. A goroutine that holds one is in the library.
var (
	// blockingSlots are for steps that wait for a response.
	blockingSlots = make(chan struct{}, maxThreads)
	// shortSlots are for steps that do not wait. They may still have to read the system's certificates.
	shortSlots = make(chan struct{}, maxThreads)
	// cancelledSlots are for steps of a cancelled login, which may have to revoke a token.
	cancelledSlots = make(chan struct{}, maxThreads)
)

// limits restrict what the logins and requests of one client do in the library at once.
type limits struct {
	// At most one step that waits and one step that does not wait run at a time: threads that wait for each other in
	// the library are useless.
	blocking, short chan struct{}
	// requests counts the requests in progress.
	requests atomic.Int64
}

func newLimits() *limits {
	return &limits{blocking: make(chan struct{}, 1), short: make(chan struct{}, 1)}
}

// enter waits until a step that does not wait may be made. The caller must call leave after the step.
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
	// until is when to return without a result. Zero means never.
	until time.Time
	timer *time.Timer
}

// after does the same as time.After, with a timer that is reused.
func (w *waiter) after(d time.Duration) <-chan time.Time {
	if w.timer == nil {
		w.timer = time.NewTimer(d)
	} else {
		w.timer.Reset(d)
	}
	return w.timer.C
}

// bounded returns d, or the remaining time if that is less.
func (w *waiter) bounded(d time.Duration) time.Duration {
	if !w.until.IsZero() {
		d = min(d, time.Until(w.until))
	}
	return max(d, 0)
}

// timeIsUp reports whether to return without a result.
func (w *waiter) timeIsUp() bool { return !w.until.IsZero() && w.bounded(maxSleep) == 0 }

// sleep waits for d while no request is in progress. It returns early if the time is up, the wait is cancelled or the
// machine was suspended.
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

// wasSuspended compares the clock that stops while the machine is suspended with the time of day. If the time of day
// was set meanwhile, the result may be wrong, which does no harm.
func wasSuspended(since time.Time) bool {
	now := time.Now()
	running, passed := now.Sub(since), now.Round(0).Sub(since.Round(0))
	return (passed - running).Abs() > time.Second
}

// awaitResponse makes steps until one has a result, the time is up or the wait is cancelled. A step may block for
// maxWait.
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

// interval returns the time between two steps for a request that was sent this long ago.
func (w *waiter) interval(age time.Duration) time.Duration {
	few := max(minInterval, min(age/4, maxInterval))
	many := time.Duration(w.limits.requests.Load()) * perRequest
	return w.bounded(max(few, many))
}

// block makes a step that blocks in the library, if there is a thread for it.
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

// isClosed reports whether a channel on which nothing is sent is closed.
func isClosed(channel <-chan struct{}) bool {
	select {
	case <-channel:
		return true
	default:
		return false
	}
}

// cancelWith calls cancel when the context ends. The function that it returns prevents that. It waits for a cancel that
// is already running, so that no goroutine is left.
func cancelWith(ctx context.Context, cancel func()) (stop func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	if ctx.Err() != nil {
		// The context ended before anything was sent.
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
