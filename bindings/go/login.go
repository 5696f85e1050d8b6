package cliauth

// #include "native.h"
import "C"

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Login is a single login attempt. It comes from [Client.Login].
//
// All goroutines may use it, but only one call drives it at a time: while Start, Poll or Step is under way, also in its callback,
// a second one fails with [ErrBusy]. The context of each of these calls stands for the whole login: when it ends, the login is
// cancelled.
type Login struct {
	native *native[*C.cli_auth_login]
	limits *limits

	cancelOnce sync.Once
	cancelled  chan struct{}
	prompt     atomic.Pointer[Prompt]
	// unusable is why there is no native login.
	unusable error
}

// lastCall is the number of the newest call that drives, or ends, any login: the library tells calls apart by it.
var lastCall atomic.Uint64

// Login makes a login attempt. No I/O. Close it when it is over.
func (c *Client) Login() *Login {
	login := &Login{limits: c.limits, cancelled: make(chan struct{})}
	client, open := c.native.acquire()
	if !open {
		login.unusable = closed("client")
		return login
	}
	defer c.native.release()
	var failure *C.cli_auth_error
	object := C.cli_auth_login_new(client, &failure)
	if object == nil {
		login.unusable = takeError(failure)
		return login
	}
	login.native = newNative(object, func(object *C.cli_auth_login) { C.cli_auth_login_free(object) })
	runtime.AddCleanup(login, (*native[*C.cli_auth_login]).close, login.native)
	return login
}

// Start asks the server for a code: discovery where needed, then one request. It blocks until there is a response. Called again,
// it returns the same prompt.
//
// Nothing is tried twice here, since a user is waiting: [ErrNetwork] means "try again later". When ctx ends, the login is
// cancelled: the error matches [ErrCancelled], ctx.Err() and context.Cause(ctx).
func (l *Login) Start(ctx context.Context) (*Prompt, error) {
	_, err := l.drive(ctx, time.Time{}, func(c *call) (Step, error) {
		for l.prompt.Load() == nil {
			if _, err := c.next(); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
	if err != nil {
		return nil, err
	}
	return l.prompt.Load(), nil
}

// Poll waits for the user's decision. onEvent, if it is not nil, is called on this goroutine with the events in between. It may
// cancel the login; a call that would drive it fails with [ErrBusy] there. A panic in it passes through and leaves the login as
// it was.
//
// [ErrDenied], [ErrExpired], [ErrCancelled] and [ErrActionRequired] are the ends that every program meets. Transport trouble is no
// error here: it is reported as [Retrying], and the login goes on. Called again, Poll returns the same outcome. Before Start it
// fails with [ErrMisuse]: the user has not seen the code.
//
// When ctx ends, the login is cancelled, also while a request is under way: the error matches [ErrCancelled], ctx.Err() and
// context.Cause(ctx). Tokens that came at the same moment are revoked first where the server can, which may take two seconds.
func (l *Login) Poll(ctx context.Context, onEvent func(Event)) (*Tokens, error) {
	found, err := l.drive(ctx, time.Time{}, func(c *call) (Step, error) {
		if err := c.checkStarted(); err != nil {
			return nil, err
		}
		for {
			found, err := c.next()
			if err != nil {
				return nil, err
			}
			switch found := found.(type) {
			case *Tokens:
				return found, nil
			case Event:
				if onEvent != nil {
					onEvent(found)
				}
			}
		}
	})
	tokens, _ := found.(*Tokens)
	return tokens, err
}

// Step drives the login for at most maxWait: the primitive under Start and Poll, for programs with a loop of their own. 0 does
// not block, but for the step that ends a cancelled login.
//
// It returns the [*Prompt], an [Event], the [*Tokens], or [Waiting] if there was nothing in that time. A request that is under way
// when the time is up goes on: the next step finds its response, and it is never sent again. After the outcome every step
// returns it again. When ctx ends, the login is cancelled.
func (l *Login) Step(ctx context.Context, maxWait time.Duration) (Step, error) {
	until := time.Now().Add(max(maxWait, 0))
	return l.drive(ctx, until, (*call).next)
}

// Cancel ends the login: the call that drives it returns [ErrCancelled] at once, whatever it waits for, and so does every later
// one. After the outcome it changes nothing. It never blocks and may be called from any goroutine, any number of times.
func (l *Login) Cancel() {
	if l.native != nil {
		if object, open := l.native.acquire(); open {
			C.cli_auth_login_cancel(object)
			l.native.release()
		}
	}
	l.cancelOnce.Do(func() { close(l.cancelled) })
}

// Prompt returns the prompt, or nil before there is one.
func (l *Login) Prompt() *Prompt { return l.prompt.Load() }

// Close cancels the login, unless it has its outcome, and frees its memory. Later calls fail with [ErrClosed]. Tokens that came
// and were not returned by any call are revoked first where the server can, which may take two seconds. It always returns nil,
// and a second call changes nothing. A login that is forgotten is closed when it is garbage.
func (l *Login) Close() error {
	l.Cancel()
	if l.native == nil {
		return nil
	}
	if object, open := l.native.acquire(); open {
		// A call that drives the login meanwhile does the same in its place.
		l.newCall(object, time.Time{}).abandon()
		l.native.release()
	}
	l.native.close()
	return nil
}

// call is a single call that drives a login.
type call struct {
	login  *Login
	object *C.cli_auth_login
	number C.uint64_t
	wait   waiter
}

func (l *Login) newCall(object *C.cli_auth_login, until time.Time) *call {
	wait := waiter{limits: l.limits, cancelled: l.cancelled, until: until}
	return &call{l, object, C.uint64_t(lastCall.Add(1)), wait}
}

// drive claims the login while work drives it. The end of ctx cancels it. A step ends at until, where that is set.
func (l *Login) drive(ctx context.Context, until time.Time, work func(*call) (Step, error)) (found Step, err error) {
	if l.unusable != nil {
		return nil, l.unusable
	}
	object, open := l.native.acquire()
	if !open {
		return nil, closed("login")
	}
	defer l.native.release()
	c := l.newCall(object, until)
	var failure *C.cli_auth_error
	if C.cli_auth_claim_login(object, c.number, &failure) != C.CLI_AUTH_OK {
		return nil, takeError(failure)
	}
	// Also where the callback panics, or ends its goroutine.
	defer C.cli_auth_claim_release(object, c.number)
	defer func() {
		if _, returned := found.(*Tokens); ctx.Err() != nil && err == nil && !returned {
			c.abandon()
		}
	}()
	defer cancelWith(ctx, l.Cancel)()
	found, err = work(c)
	return found, withCause(ctx, err)
}

// abandon cancels the login, and has tokens revoked that came for it and that no call returned.
func (c *call) abandon() {
	defer c.wait.limits.enter(true)()
	C.cli_auth_claim_abandon(c.object, c.number)
}

// checkStarted fails before Start.
func (c *call) checkStarted() error {
	var failure *C.cli_auth_error
	if C.cli_auth_claim_check_started(c.object, c.number, &failure) != C.CLI_AUTH_OK {
		return takeError(failure)
	}
	return nil
}

// next waits for a prompt, an event or the outcome. It returns [Waiting] when time is up.
func (c *call) next() (Step, error) {
	found, err := c.step(0)
	for {
		waiting, isWaiting := found.(Waiting)
		if !isWaiting || c.wait.timeIsUp() {
			break
		}
		if waiting.DueIn > 0 {
			c.wait.sleep(waiting.DueIn)
			found, err = c.step(0)
			continue
		}
		c.wait.awaitResponse(func(maxWait time.Duration) bool {
			found, err = c.step(maxWait)
			return found != Step(Waiting{})
		})
		if isClosed(c.wait.cancelled) && err == nil {
			found, err = c.step(0)
		}
	}
	if prompt, ok := found.(*Prompt); ok {
		c.login.prompt.Store(prompt)
	}
	return found, err
}

// step is one step of the library's, which blocks for maxWait at most. An error comes without a step.
func (c *call) step(maxWait time.Duration) (Step, error) {
	if maxWait == 0 {
		defer c.wait.limits.enter(isClosed(c.wait.cancelled))()
	}
	var step *C.cli_auth_step
	var failure *C.cli_auth_error
	if C.cli_auth_claim_step(c.object, c.number, secondsOf(maxWait), &step, &failure) != C.CLI_AUTH_OK {
		return nil, takeError(failure)
	}
	defer C.cli_auth_step_free(step)
	switch C.cli_auth_step_kind(step) {
	case C.CLI_AUTH_STEP_PROMPT:
		return newPrompt(C.cli_auth_step_prompt(step)), nil
	case C.CLI_AUTH_STEP_EVENT:
		if event := eventOf(C.cli_auth_step_event(step)); event != nil {
			return event, nil
		}
	case C.CLI_AUTH_STEP_AUTHORIZED:
		return takeTokens(C.cli_auth_step_tokens(step)), nil
	}
	return Waiting{durationOf(C.cli_auth_step_due_in(step))}, nil
}

// eventOf is nil for an event that this version does not know.
func eventOf(event *C.cli_auth_event) Event {
	switch C.cli_auth_event_kind(event) {
	case C.CLI_AUTH_EVENT_PENDING:
		return Pending{
			NextPollIn: durationOf(C.cli_auth_event_next_poll_in(event)),
			ExpiresIn:  durationOf(C.cli_auth_event_expires_in(event)),
		}
	case C.CLI_AUTH_EVENT_SLOWED_DOWN:
		return SlowedDown{Interval: durationOf(C.cli_auth_event_interval(event))}
	case C.CLI_AUTH_EVENT_RETRYING:
		return Retrying{
			Reason:  C.GoString(C.cli_auth_event_reason(event)),
			Attempt: int(C.cli_auth_event_attempt(event)),
			RetryIn: durationOf(C.cli_auth_event_retry_in(event)),
		}
	case C.CLI_AUTH_EVENT_RESUMED:
		return Resumed{SuspendedFor: durationOf(C.cli_auth_event_suspended_for(event))}
	}
	return nil
}
