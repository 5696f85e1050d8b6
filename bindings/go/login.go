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

// Login is one attempt to log in. It comes from [Client.Login].
//
// All goroutines may use it, but only one call drives it at a time (Start, Poll and Step do): a second one gets [ErrBusy]. The
// context of each of these calls stands for the whole login: when it ends, the login is cancelled.
type Login struct {
	native *native[*C.cli_auth_login]
	turns  *turns

	driven     atomic.Bool
	underWay   atomic.Bool // it has begun and has no outcome
	over       atomic.Bool // it has its outcome
	cancelOnce sync.Once
	cancelled  chan struct{}
	prompt     atomic.Pointer[Prompt]
	// unmade is why there is no native login.
	unmade error
}

// Login makes an attempt to log in. No I/O. Close it when it is over.
func (c *Client) Login() *Login {
	login := &Login{turns: c.turns, cancelled: make(chan struct{})}
	client, open := c.native.borrow()
	if !open {
		login.unmade = closed("client")
		return login
	}
	defer c.native.giveBack()
	var failure *C.cli_auth_error
	object := C.cli_auth_login_new(client, &failure)
	if object == nil {
		login.unmade = takeError(failure)
		return login
	}
	login.native = newNative(object, func(object *C.cli_auth_login) { C.cli_auth_login_free(object) })
	runtime.AddCleanup(login, (*native[*C.cli_auth_login]).close, login.native)
	return login
}

// Start asks the server for a code: discovery where needed, then one request. It blocks until there is an answer. Called again,
// it gives the same prompt.
//
// Nothing is tried twice here, since a person is waiting: [ErrNetwork] means "try again later". When ctx ends, the login is
// cancelled: the error matches [ErrCancelled], ctx.Err() and context.Cause(ctx).
func (l *Login) Start(ctx context.Context) (*Prompt, error) {
	err := l.drive(ctx, time.Time{}, func(d *driver) error {
		for l.prompt.Load() == nil {
			if _, err := d.step(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return l.prompt.Load(), nil
}

// Poll waits for the person's decision. onEvent, if it is not nil, is called on this goroutine with what there is to tell in
// between. It may cancel the login; a call that would drive it gets [ErrBusy] there. A panic in it passes through and leaves the
// login as it was.
//
// [ErrDenied], [ErrExpired], [ErrCancelled] and [ErrActionRequired] are the ends that every program meets. Transport trouble is no
// error here: it is told as [Retrying], and the login goes on. Called again, Poll gives the same outcome.
//
// When ctx ends, the login is cancelled, also while a request is under way: the error matches [ErrCancelled], ctx.Err() and
// context.Cause(ctx). A token that came at the same moment is revoked first where the server can, which may take two seconds.
func (l *Login) Poll(ctx context.Context, onEvent func(Event)) (*Tokens, error) {
	var tokens *Tokens
	err := l.drive(ctx, time.Time{}, func(d *driver) error {
		if l.prompt.Load() == nil && !l.over.Load() && !isDone(l.cancelled) {
			return invalid("Poll was called before Start: nobody has seen the code yet")
		}
		for tokens == nil {
			found, err := d.step()
			if err != nil {
				return err
			}
			switch found := found.(type) {
			case *Tokens:
				tokens = found
			case Event:
				if onEvent != nil {
					onEvent(found)
				}
			}
		}
		return nil
	})
	return tokens, err
}

// Step drives the login for at most maxWait: the primitive under Start and Poll, for programs with a loop of their own. 0 does
// not block, but for the step that ends a cancelled login.
//
// It gives the [*Prompt], an [Event], the [*Tokens], or [Waiting] if there was nothing in that time. A request that is under way
// when the time is up goes on: the next step finds its answer, and it is never sent again. After the outcome every step gives
// it again. When ctx ends, the login is cancelled.
func (l *Login) Step(ctx context.Context, maxWait time.Duration) (Step, error) {
	until := time.Now().Add(max(maxWait, 0))
	var found Step
	err := l.drive(ctx, until, func(d *driver) (err error) {
		found, err = d.step()
		return err
	})
	return found, err
}

// Cancel ends the login: the call that drives it returns [ErrCancelled] at once, whatever it waits for, and so does every later
// one. After the outcome it changes nothing. It never blocks and may be called from any goroutine, as often as you like.
func (l *Login) Cancel() {
	if l.native != nil {
		if object, open := l.native.borrow(); open {
			C.cli_auth_login_cancel(object)
			l.native.giveBack()
		}
	}
	l.cancelOnce.Do(func() { close(l.cancelled) })
}

// Prompt gives the prompt again, or nil before there is one.
func (l *Login) Prompt() *Prompt { return l.prompt.Load() }

// Close cancels the login, unless it has its outcome, and gives its memory back. Later calls fail with [ErrClosed]. A token
// that came and is in nobody's hands is revoked first where the server can, which may take two seconds. It is never needed twice
// and always gives nil. A login that is forgotten is closed when it is garbage.
func (l *Login) Close() error {
	l.Cancel()
	if l.native == nil {
		return nil
	}
	if l.underWay.Load() {
		// The call that drives it does the same, if there is one.
		_, _ = l.Step(context.Background(), 0)
	}
	l.native.close()
	return nil
}

// driver is the one call that drives a login at the moment.
type driver struct {
	*Login
	object *C.cli_auth_login
	pause  pause
}

// drive lets work drive the login, which the end of ctx cancels meanwhile. A step ends at until, where that is set.
func (l *Login) drive(ctx context.Context, until time.Time, work func(*driver) error) error {
	if l.unmade != nil {
		return l.unmade
	}
	object, open := l.native.borrow()
	if !open {
		return closed("login")
	}
	defer l.native.giveBack()
	if !l.driven.CompareAndSwap(false, true) {
		return &Error{Kind: ErrBusy, Message: "this login is driven by another call already"}
	}
	defer l.driven.Store(false)
	defer endWith(ctx, l.Cancel)()
	return because(ctx, work(&driver{l, object, pause{turns: l.turns, cancelled: l.cancelled, until: until}}))
}

// step goes on to the next thing that somebody has to know, or until time is up.
func (d *driver) step() (Step, error) {
	found, err := d.wait()
	switch found := found.(type) {
	case *Prompt:
		d.prompt.Store(found)
		d.underWay.Store(true)
	case *Tokens, nil:
		d.underWay.Store(false)
		d.over.Store(true)
	default:
		d.underWay.Store(true)
	}
	return found, err
}

func (d *driver) wait() (Step, error) {
	found, err := d.look(0)
	for {
		waiting, isWaiting := found.(Waiting)
		if !isWaiting || d.pause.timeIsUp() {
			return found, err
		}
		if waiting.DueIn > 0 {
			d.pause.nap(waiting.DueIn)
			found, err = d.look(0)
			continue
		}
		d.pause.underWay(func(stay time.Duration) bool {
			found, err = d.look(stay)
			return found != Step(Waiting{})
		})
		if isDone(d.cancelled) && err == nil {
			found, err = d.look(0)
		}
	}
}

// look is a step of the library's, which blocks for stay at most. An error comes without a step.
func (d *driver) look(stay time.Duration) (Step, error) {
	if stay == 0 {
		defer d.turns.enter(isDone(d.cancelled))()
	}
	var step *C.cli_auth_step
	var failure *C.cli_auth_error
	if C.cli_auth_login_step(d.object, secondsOf(stay), &step, &failure) != C.CLI_AUTH_OK {
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
