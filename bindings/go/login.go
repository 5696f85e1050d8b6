package cliauth

// #include "native.h"
import "C"

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Login is a single login attempt. [Client.Login] returns one.
//
// Several goroutines may use it, but only one call at a time drives it. While Start, Poll or Step runs, including its
// callback, another call fails with [ErrBusy]. When the context of such a call ends, the whole login is cancelled.
//
// A zero or nil Login fails with [ErrMisuse]. A Login must not be copied.
type Login struct {
	native *handle[*C.cli_auth_login]
	limits *limits

	cancelOnce sync.Once
	cancelled  chan struct{}
	prompt     atomic.Pointer[Prompt]
	// unusable is the reason why there is no native login.
	unusable error
}

// lastCall is the number of the newest call that drives or ends any login. The library identifies calls by their
// numbers.
var lastCall atomic.Uint64

// Login returns a new login attempt. It does no I/O. Close the login when it is over.
func (c *Client) Login() *Login {
	client, err := c.acquire()
	if err != nil {
		return &Login{unusable: err}
	}
	defer c.native.release()
	var failure *C.cli_auth_error
	object := C.cli_auth_login_new(client, &failure)
	if object == nil {
		return &Login{unusable: takeError(failure)}
	}
	return &Login{
		native:    newHandle(object, func(object *C.cli_auth_login) { C.cli_auth_login_free(object) }),
		limits:    c.limits,
		cancelled: make(chan struct{}),
	}
}

// acquire returns the native login. The caller must release l.native after using it.
func (l *Login) acquire() (*C.cli_auth_login, error) {
	switch {
	case l != nil && l.unusable != nil:
		return nil, l.unusable
	case l == nil || l.native == nil:
		return nil, misuse("the login must come from Client.Login")
	}
	object, open := l.native.acquire()
	if !open {
		return nil, closed("login")
	}
	return object, nil
}

// Start requests a code from the server: discovery where that is needed, then one request, or a second one without PKCE
// if the server refuses PKCE. It blocks until there is a response. Another call returns the same prompt, or the error
// of a login that has failed.
//
// Nothing is retried, because a user is waiting. After [ErrNetwork], try again later with a new login. When ctx ends,
// the login is cancelled, and the error matches [ErrCancelled], ctx.Err() and context.Cause(ctx).
func (l *Login) Start(ctx context.Context) (*Prompt, error) {
	_, err := l.drive(ctx, time.Time{}, func(c *call) (Step, error) {
		for {
			if started, err := c.started(); started || err != nil {
				return nil, err
			}
			if _, err := c.next(); err != nil {
				return nil, err
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return l.prompt.Load(), nil
}

// Poll waits for the user's decision. It calls onEvent, unless that is nil, with each event, on the goroutine that
// called Poll. onEvent may cancel the login. A call from it that would drive the login fails with [ErrBusy]. A panic in
// it propagates and does not change the login.
//
// Every program should handle [ErrDenied], [ErrExpired], [ErrCancelled] and [ErrActionRequired]. Transport failures are
// not errors: they are reported as [Retrying], and the login continues. Another call returns the same outcome. Before
// Start, Poll fails with [ErrMisuse], because the user has not seen the code.
//
// When ctx ends, the login is cancelled, even while a request is in progress. The error matches [ErrCancelled],
// ctx.Err() and context.Cause(ctx). If tokens arrived at the same moment, they are first revoked where the server
// supports it, which may take up to 2 seconds.
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

// Step drives the login for at most maxWait. Start and Poll do the same without a limit. Use Step in programs with an
// event loop of their own. With a maxWait of 0 or less, Step does not wait for the network. Two steps may block for
// longer: the step that sends the first request of a client reads and parses the trusted root certificates, and the
// step that ends a cancelled login may spend up to 2 seconds on revoking tokens.
//
// Step returns the [*Prompt], an [Event], the [*Tokens], or [Waiting] if nothing happened in that time. A request that
// is in progress when the time is up continues: a later step returns its response, and the request is never sent again.
// After the login has ended, every step returns the same outcome. When ctx ends, the login is cancelled.
func (l *Login) Step(ctx context.Context, maxWait time.Duration) (Step, error) {
	until := time.Now().Add(max(maxWait, 0))
	return l.drive(ctx, until, (*call).next)
}

// Cancel cancels the login. The call that drives it returns [ErrCancelled] at once, whatever it waits for, and so does
// every later call. After the login has ended, Cancel does
// nothing. It never blocks. It may be called from any goroutine, any number of times.
func (l *Login) Cancel() {
	object, err := l.acquire()
	if err != nil {
		return
	}
	defer l.native.release()
	C.cli_auth_login_cancel(object)
	l.cancelOnce.Do(func() { close(l.cancelled) })
}

// Prompt returns the prompt, or nil if there is none yet.
func (l *Login) Prompt() *Prompt {
	if l == nil {
		return nil
	}
	return l.prompt.Load()
}

// Close cancels the login, unless it has ended, and frees its memory. Later calls fail with [ErrClosed]. Tokens that
// were issued but not returned by any call are first revoked where the server supports it, which may take up to 2
// seconds. Close always returns nil, and a second call does nothing. A login that is not closed is freed when it is
// garbage collected, without a revocation.
func (l *Login) Close() error {
	l.Cancel()
	object, err := l.acquire()
	if err != nil {
		return nil
	}
	defer l.native.close()
	defer l.native.release()
	// If a call drives the login meanwhile, that call does the same.
	l.newCall(object, time.Time{}).abandon()
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

// drive claims the login while work drives it. The end of ctx cancels the login. If until is set, a step ends at that
// time.
func (l *Login) drive(ctx context.Context, until time.Time, work func(*call) (Step, error)) (found Step, err error) {
	if ctx == nil {
		return nil, errNilContext()
	}
	object, err := l.acquire()
	if err != nil {
		return nil, err
	}
	defer l.native.release()
	c := l.newCall(object, until)
	var failure *C.cli_auth_error
	if C.cli_auth_claim_login(object, c.number, &failure) != C.CLI_AUTH_OK {
		return nil, takeError(failure)
	}
	// This also runs when the callback panics or ends its goroutine.
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

// abandon cancels the login and has tokens revoked that were issued but not returned by any call.
func (c *call) abandon() {
	defer c.wait.limits.enter(true)()
	C.cli_auth_claim_abandon(c.object, c.number)
}

// started reports whether there is a prompt that Start can return. It returns the error of a login that has failed.
func (c *call) started() (bool, error) {
	var prompt *C.cli_auth_prompt
	var failure *C.cli_auth_error
	if C.cli_auth_claim_prompt(c.object, c.number, &prompt, &failure) != C.CLI_AUTH_OK {
		return false, takeError(failure)
	}
	C.cli_auth_prompt_free(prompt)
	return prompt != nil, nil
}

// checkStarted fails before Start.
func (c *call) checkStarted() error {
	var failure *C.cli_auth_error
	if C.cli_auth_claim_check_started(c.object, c.number, &failure) != C.CLI_AUTH_OK {
		return takeError(failure)
	}
	return nil
}

// next waits for a prompt, an event or the outcome. It returns [Waiting] when the time is up.
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

// step makes one step of the library, which blocks for at most maxWait. With an error there is no step.
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

// eventOf returns nil for an event that this version does not know.
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
			Reason:    C.GoString(C.cli_auth_event_reason(event)),
			Attempt:   intOf(C.cli_auth_event_attempt(event)),
			RetryIn:   durationOf(C.cli_auth_event_retry_in(event)),
			RequestID: C.GoString(C.cli_auth_event_request_id(event)),
		}
	case C.CLI_AUTH_EVENT_RESUMED:
		return Resumed{SuspendedFor: durationOf(C.cli_auth_event_suspended_for(event))}
	case C.CLI_AUTH_EVENT_IDENTITY_UNVERIFIED:
		return IdentityUnverified{Message: C.GoString(C.cli_auth_event_message(event))}
	}
	return nil
}
