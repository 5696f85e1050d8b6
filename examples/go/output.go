package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"time"
	"unicode/utf16"

	"golang.org/x/term"

	"cliauth"
)

// output is the output of the tool. An error means that standard output was closed.
type output interface {
	prompt(*cliauth.Prompt) error
	event(cliauth.Event) error
	authorized(*cliauth.Tokens) error
	failed(*cliauth.Error) error
}

// words is output for the user: the result on standard output, everything else on standard error.
type words struct {
	// inPlace is true if the countdown is rewritten in place.
	inPlace bool
	// counting is true while the countdown is the last line on the screen.
	counting bool
}

func (w *words) prompt(prompt *cliauth.Prompt) error {
	say("%s", prompt.TextForStderr())
	return nil
}

func (w *words) event(event cliauth.Event) error {
	switch event := event.(type) {
	case cliauth.Pending:
		w.countDown(whole(event.ExpiresIn))
	case cliauth.SlowedDown:
		w.line("The server asked to slow down. Polling every %d s from now on.", whole(event.Interval))
	case cliauth.Retrying:
		w.line("No valid response (%s). Trying again in %d s.", event.Reason, whole(event.RetryIn))
	case cliauth.Resumed:
		w.line("The computer was suspended.")
	case cliauth.IdentityUnverified:
		w.line("Note: %s.", event.Message)
	}
	return nil
}

func (w *words) authorized(tokens *cliauth.Tokens) error {
	w.endCountDown()
	if tokens.Identity == nil {
		return write("Logged in.\n")
	}
	return write("Logged in as " + cliauth.Sanitize(tokens.Identity.Subject) + ".\n")
}

func (w *words) failed(err *cliauth.Error) error {
	w.line("Not logged in: %v.", err)
	for _, o := range err.Organizations {
		w.line("  %s  %s", cliauth.Sanitize(o.ID), cliauth.Sanitize(o.Name))
	}
	if err.RequestID != "" {
		w.line("Request ID: %s", err.RequestID)
	}
	return nil
}

// countDown updates the countdown, or prints one line where nothing can be rewritten.
func (w *words) countDown(left int64) {
	if w.inPlace {
		say("\rWaiting for your approval, %d s left. ", left)
	} else if !w.counting {
		say("Waiting for your approval.\n")
	}
	w.counting = true
}

func (w *words) endCountDown() {
	if w.counting && w.inPlace {
		say("\n")
	}
	w.counting = false
}

func (w *words) line(format string, args ...any) {
	w.endCountDown()
	say(format+"\n", args...)
}

// whole returns the whole seconds.
func whole(d time.Duration) int64 { return int64(d / time.Second) }

// say writes to standard error. It may be closed too, which does not stop the program.
func say(format string, args ...any) { _, _ = fmt.Fprintf(os.Stderr, format, args...) }

func write(text string) error {
	_, err := io.WriteString(os.Stdout, text)
	return err
}

// canRewrite returns whether standard error is a terminal on which a line can be rewritten. ACCESSIBLE is what users of
// screen readers set.
func canRewrite() bool {
	const needed = 48 // columns
	name := os.Getenv("TERM")
	if name == "" || name == "dumb" || os.Getenv("ACCESSIBLE") != "" {
		return false
	}
	width, _, err := term.GetSize(int(os.Stderr.Fd()))
	return err == nil && width >= needed
}

// jsonLines is output for programs: one JSON object per line on standard output.
type jsonLines struct{}

func (jsonLines) prompt(prompt *cliauth.Prompt) error {
	return writeJSON(struct {
		Event                   string   `json:"event"`
		UserCode                string   `json:"user_code"`
		VerificationURI         string   `json:"verification_uri"`
		VerificationURIComplete *string  `json:"verification_uri_complete"`
		ExpiresIn               jsonTime `json:"expires_in"`
	}{
		"prompt", prompt.UserCode, prompt.VerificationURI, orNull(prompt.VerificationURIComplete),
		jsonTime(prompt.ExpiresIn),
	})
}

func (jsonLines) event(event cliauth.Event) error {
	switch event := event.(type) {
	case cliauth.Pending:
		return writeJSON(struct {
			Event      string   `json:"event"`
			NextPollIn jsonTime `json:"next_poll_in"`
			ExpiresIn  jsonTime `json:"expires_in"`
		}{"pending", jsonTime(event.NextPollIn), jsonTime(event.ExpiresIn)})
	case cliauth.SlowedDown:
		return writeJSON(struct {
			Event    string   `json:"event"`
			Interval jsonTime `json:"interval"`
		}{"slowed_down", jsonTime(event.Interval)})
	case cliauth.Retrying:
		return writeJSON(struct {
			Event   string   `json:"event"`
			Reason  string   `json:"reason"`
			Attempt int      `json:"attempt"`
			RetryIn jsonTime `json:"retry_in"`
		}{"retrying", event.Reason, event.Attempt, jsonTime(event.RetryIn)})
	case cliauth.Resumed:
		return writeJSON(struct {
			Event        string   `json:"event"`
			SuspendedFor jsonTime `json:"suspended_for"`
		}{"resumed", jsonTime(event.SuspendedFor)})
	case cliauth.IdentityUnverified:
		return writeJSON(struct {
			Event   string `json:"event"`
			Message string `json:"message"`
		}{"identity_unverified", event.Message})
	}
	return nil
}

func (jsonLines) authorized(tokens *cliauth.Tokens) error {
	var expiresIn *jsonTime
	if !tokens.ExpiresAt.IsZero() {
		expiresIn = (*jsonTime)(&tokens.ExpiresIn)
	}
	var subject *string
	if tokens.Identity != nil {
		subject = &tokens.Identity.Subject
	}
	return writeJSON(struct {
		Event           string    `json:"event"`
		TokenType       string    `json:"token_type"`
		ExpiresIn       *jsonTime `json:"expires_in"`
		Scope           []string  `json:"scope"`
		HasRefreshToken bool      `json:"has_refresh_token"`
		HasIDToken      bool      `json:"has_id_token"`
		Subject         *string   `json:"subject"`
		Saved           *string   `json:"saved"`
	}{
		"authorized", tokens.TokenType, expiresIn, tokens.Scopes,
		!tokens.RefreshToken.IsZero(), !tokens.IDToken.IsZero(), subject, nil,
	})
}

func (jsonLines) failed(err *cliauth.Error) error {
	type organization struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	var organizations []organization
	if err.Organizations != nil {
		organizations = []organization{}
	}
	for _, o := range err.Organizations {
		organizations = append(organizations, organization{o.ID, o.Name})
	}
	var status *int
	if err.HTTPStatus != 0 {
		status = &err.HTTPStatus
	}
	return writeJSON(struct {
		Event         string         `json:"event"`
		Kind          cliauth.Kind   `json:"kind"`
		OAuthError    *string        `json:"oauth_error"`
		Message       string         `json:"message"`
		HTTPStatus    *int           `json:"http_status"`
		RequestID     *string        `json:"request_id"`
		Organizations []organization `json:"organizations"`
		Claims        *string        `json:"claims"`
	}{
		"error", err.Kind, orNull(err.OAuthError), err.Message, status, orNull(err.RequestID), organizations, orNull(err.Claims),
	})
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// jsonTime is written in seconds, with at most three decimals and none for a whole number.
type jsonTime time.Duration

func (t jsonTime) MarshalJSON() ([]byte, error) {
	milliseconds := math.Round(time.Duration(t).Seconds() * 1000)
	return strconv.AppendFloat(nil, milliseconds/1000, 'f', -1, 64), nil
}

// writeJSON writes a line in ASCII, so that a server's text cannot control a terminal that shows it.
func writeJSON(object any) error {
	var encoded bytes.Buffer
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(object); err != nil {
		return err
	}
	var line bytes.Buffer
	for _, r := range encoded.String() {
		switch {
		case ' ' <= r && r <= '~' || r == '\n':
			line.WriteRune(r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&line, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&line, `\u%04x`, r)
		}
	}
	return write(line.String())
}
