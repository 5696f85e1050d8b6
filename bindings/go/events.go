package cliauth

import "time"

// Step is the result of [Login.Step]: a [*Prompt], an [Event], [Waiting] or [*Tokens]. New versions may add others.
type Step interface{ step() }

// Event is what a login reports while it waits, for display to the user: [Pending], [SlowedDown], [Retrying], [Resumed]
// or [IdentityUnverified].
//
// Events are not errors, and the caller need not react to them: the login continues. Every poll without a decision is
// followed by one (RFC 8628 section 3.5), unless it was the last one before the code expires. All text of an event is
// sanitised and contains no secret. New versions may add kinds: ignore those that you do not know.
type Event interface {
	Step
	event()
}

// Pending reports that the user has not approved the login yet.
type Pending struct {
	// NextPollIn is the time until the next poll.
	NextPollIn time.Duration
	// ExpiresIn is the time until the code expires.
	ExpiresIn time.Duration
}

// SlowedDown reports that the server asked for a longer interval between polls.
type SlowedDown struct {
	// Interval is the new interval, which applies to this and all later polls.
	Interval time.Duration
}

// Retrying reports that the server could not be reached or could not respond. The login continues.
type Retrying struct {
	// Reason is a word for programs: http_502 (or any other status), timeout, dns, connect, connection_lost, tls,
	// certificate, malformed_response or blocked (a bot check, a captive portal or a gateway has responded). New versions
	// may add words.
	Reason string
	// Attempt is the number of consecutive failures, starting at 1.
	Attempt int
	// RetryIn is the time until the next poll.
	RetryIn time.Duration
	// RequestID is the server's identifier of the request, as in an [Error]. It is empty if there was no response or it
	// has none.
	RequestID string
}

// Resumed reports that the machine was suspended.
type Resumed struct {
	// SuspendedFor is how long the machine was suspended.
	SuspendedFor time.Duration
}

// IdentityUnverified reports that the user approved the login, but that the ID token was not verified because the keys
// of the server could not be fetched. The tokens follow, without an [Identity].
type IdentityUnverified struct {
	// Message is a sentence for the user that says why there are no keys.
	Message string
}

// Waiting is what [Login.Step] returns if nothing happened yet.
type Waiting struct {
	// DueIn is how long nothing will happen. It is 0 while a request is in progress: step again with a wait that you
	// can afford.
	DueIn time.Duration
}

func (Pending) event()            {}
func (SlowedDown) event()         {}
func (Retrying) event()           {}
func (Resumed) event()            {}
func (IdentityUnverified) event() {}

func (Pending) step()            {}
func (SlowedDown) step()         {}
func (Retrying) step()           {}
func (Resumed) step()            {}
func (IdentityUnverified) step() {}
func (Waiting) step()            {}
func (*Prompt) step()            {}
func (*Tokens) step()            {}
