package cliauth

import (
	"context"
	"sync/atomic"
	"time"
)

// How this package waits.
//
// Between polls a login waits on a timer of Go's and is not in the library at all. While a request is under way somebody has to
// be inside the library, whose sockets nobody else looks at. Whoever is inside moves the requests of all logins of the client
// along, so one goroutine of a client at a time has the turn and blocks there, on a thread. The others look for their answers
// now and then, which blocks nobody, and get the turn one after the other.

const (
	// maxThreads is how many goroutines of the process are in the library at once for each of the reasons below. A thread each.
	maxThreads = 8

	// A request that has been under way for some time is looked at again after a quarter of that time. Where thousands are
	// under way, looking must not become all that is done.
	minPatience = 2 * time.Millisecond
	maxPatience = 250 * time.Millisecond
	perRequest  = 100 * time.Microsecond

	// longestNap is the longest wait in one piece: Go's timers stand still while the machine is suspended, the library's
	// clock goes on.
	longestNap = 5 * time.Second
)

var (
	// waiting are those that wait for a request.
	waiting = make(chan struct{}, maxThreads)
	// looking are those that do not wait. They may still have to read the system's certificates.
	looking = make(chan struct{}, maxThreads)
	// ending are those that end a cancelled login, which may have to revoke a token.
	ending = make(chan struct{}, maxThreads)
)

// turns are taken by the logins and requests of one client: by one to block in the library, and by one for a short look.
type turns struct {
	long, short chan struct{}
	// underWay counts the requests.
	underWay atomic.Int64
}

func newTurns() *turns { return &turns{long: make(chan struct{}, 1), short: make(chan struct{}, 1)} }

// enter lets somebody into the library who will not wait there, and gives what to call when out again.
func (t *turns) enter(cancelled bool) (leave func()) {
	if cancelled {
		ending <- struct{}{}
		return func() { <-ending }
	}
	// Threads that wait for each other in the library are no use, so there is one for each client.
	t.short <- struct{}{}
	looking <- struct{}{}
	return func() {
		<-looking
		<-t.short
	}
}

// pause is how one call waits.
type pause struct {
	turns     *turns
	cancelled <-chan struct{}
	// until is when to come back empty-handed; zero is never.
	until time.Time
	timer *time.Timer
}

// after is time.After with a timer that is used again and again.
func (p *pause) after(d time.Duration) <-chan time.Time {
	if p.timer == nil {
		p.timer = time.NewTimer(d)
	} else {
		p.timer.Reset(d)
	}
	return p.timer.C
}

// left bounds d by the time that is left.
func (p *pause) left(d time.Duration) time.Duration {
	if !p.until.IsZero() {
		d = min(d, time.Until(p.until))
	}
	return max(d, 0)
}

// timeIsUp says whether to come back empty-handed.
func (p *pause) timeIsUp() bool { return !p.until.IsZero() && p.left(longestNap) == 0 }

// nap waits for d where nothing is under way; less long if time is up, the wait is cancelled or the machine was suspended.
func (p *pause) nap(d time.Duration) {
	for began := time.Now(); d > 0 && !p.timeIsUp() && !wasSuspended(began); {
		piece := p.left(min(d, longestNap))
		select {
		case <-p.after(piece):
			d -= piece
		case <-p.cancelled:
			return
		}
	}
}

// wasSuspended holds the clock that stands still meanwhile against the time of day. If that was set, it is no harm to be wrong.
func wasSuspended(since time.Time) bool {
	now := time.Now()
	running, passed := now.Sub(since), now.Round(0).Sub(since.Round(0))
	return (passed - running).Abs() > time.Second
}

// underWay calls look until it finds an answer, time is up or the wait is cancelled. look may block for as long as it is told.
func (p *pause) underWay(look func(stay time.Duration) (found bool)) {
	began := time.Now()
	p.turns.underWay.Add(1)
	defer p.turns.underWay.Add(-1)
	for found := false; !found && !p.timeIsUp(); {
		patience := p.patience(time.Since(began))
		select {
		case p.turns.long <- struct{}{}:
			found = p.drive(patience, look)
			<-p.turns.long
		case <-p.after(patience):
			found = look(0)
		case <-p.cancelled:
			return
		}
	}
}

func (p *pause) patience(age time.Duration) time.Duration {
	few := max(minPatience, min(age/4, maxPatience))
	many := time.Duration(p.turns.underWay.Load()) * perRequest
	return p.left(max(few, many))
}

// drive blocks in the library, if there is a thread for it.
func (p *pause) drive(patience time.Duration, look func(time.Duration) bool) bool {
	select {
	case waiting <- struct{}{}:
		defer func() { <-waiting }()
		return look(patience)
	case <-p.after(patience):
		return look(0)
	case <-p.cancelled:
		return false
	}
}

// isDone says whether a channel is closed that nobody sends on.
func isDone(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// endWith calls cancel when the context ends. The function that it gives puts an end to that, and waits for a cancel that is
// being called, so that nothing of it is left.
func endWith(ctx context.Context, cancel func()) (stop func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	if ctx.Err() != nil {
		// At once, and not when a goroutine gets round to it.
		cancel()
		return func() {}
	}
	called := make(chan struct{})
	forget := context.AfterFunc(ctx, func() {
		defer close(called)
		cancel()
	})
	return func() {
		if !forget() {
			<-called
		}
	}
}
