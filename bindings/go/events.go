package cliauth

import "time"

// Step is what [Login.Step] finds: a [*Prompt], an [Event], [Waiting] or [*Tokens]. More may come.
type Step interface{ step() }

// Event is something that a user may want to see while the login waits: [Pending], [SlowedDown], [Retrying] or [Resumed].
//
// None of them is an error, and none needs a reaction: the login goes on by itself. There is one after every poll that did not
// decide (RFC 8628 section 3.5). It holds no text of the server and no secret. More kinds may come: leave the unknown ones
// alone.
type Event interface {
	Step
	event()
}

// Pending says that the user has not approved yet.
type Pending struct {
	// NextPollIn is the time to the next poll.
	NextPollIn time.Duration
	// ExpiresIn is the time until the code is worthless.
	ExpiresIn time.Duration
}

// SlowedDown says that the server asked for more time between polls.
type SlowedDown struct {
	// Interval is the new one, for this and all later polls.
	Interval time.Duration
}

// Retrying says that the server was not reached or could not answer; the login goes on.
type Retrying struct {
	// Reason is a word for programs: http_502, timeout, dns, connect, connection_lost, tls, malformed_response.
	Reason string
	// Attempt counts how many times in a row something went wrong, from 1.
	Attempt int
	// RetryIn is the time to the next poll.
	RetryIn time.Duration
}

// Resumed says that the machine was asleep.
type Resumed struct {
	// SuspendedFor is how long it slept.
	SuspendedFor time.Duration
}

// Waiting is what [Login.Step] returns when there is nothing yet.
type Waiting struct {
	// DueIn is how long nothing will happen. It is 0 while a request is under way: step again, with a wait that you can
	// afford.
	DueIn time.Duration
}

func (Pending) event()    {}
func (SlowedDown) event() {}
func (Retrying) event()   {}
func (Resumed) event()    {}

func (Pending) step()    {}
func (SlowedDown) step() {}
func (Retrying) step()   {}
func (Resumed) step()    {}
func (Waiting) step()    {}
func (*Prompt) step()    {}
func (*Tokens) step()    {}
