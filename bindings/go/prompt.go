package cliauth

// #include "native.h"
import "C"

import (
	"errors"
	"math"
	"time"
)

// Prompt is the code and the URL that a user needs to approve a login (RFC 8628 section 3.2). [Login.Start] returns
// one.
//
// [Prompt.Text] is ready to print. The fields hold what the server sent, unchanged, for programs: pass them to
// [Sanitize] before you print them. The prompt does not contain the device code. It need not be closed.
//
// A nil Prompt, or one that did not come from a login, has an empty text. Its OpenBrowser fails with [ErrMisuse].
type Prompt struct {
	// UserCode is the code that the user compares or enters. It is raw.
	UserCode string
	// VerificationURI is the URL at which the user enters the code. It is raw. Its scheme is https (or http on this
	// machine where allowed), and it contains no user name.
	VerificationURI string
	// VerificationURIComplete is the verification URL with the code in it. It is raw, and empty if the server sent
	// none. Show the code beside it nevertheless.
	VerificationURIComplete string
	// ExpiresIn is the lifetime of the code, counted from before it was requested.
	ExpiresIn time.Duration
	// Host is the host of the verification URL in ASCII form, so that look-alike letters are visible.
	Host string
	// Product is the name in [WithProduct], without the version. It is empty if no product was set.
	Product string

	native *handle[*C.cli_auth_prompt]
}

func newPrompt(object *C.cli_auth_prompt) *Prompt {
	return &Prompt{
		UserCode:                C.GoString(C.cli_auth_prompt_user_code(object)),
		VerificationURI:         C.GoString(C.cli_auth_prompt_verification_uri(object)),
		VerificationURIComplete: C.GoString(C.cli_auth_prompt_verification_uri_complete(object)),
		ExpiresIn:               durationOf(C.cli_auth_prompt_expires_in(object)),
		Host:                    C.GoString(C.cli_auth_prompt_host(object)),
		Product:                 C.GoString(C.cli_auth_prompt_product(object)),
		native:                  newHandle(object, func(object *C.cli_auth_prompt) { C.cli_auth_prompt_free(object) }),
	}
}

// Text returns the prompt as plain text, 80 columns wide: the code, the URL, the name of the program, and a warning. It
// is safe to print and ends with a line break.
func (p *Prompt) Text() string {
	return p.read(func(object *C.cli_auth_prompt) string { return C.GoString(C.cli_auth_prompt_text(object)) })
}

// TextWrapped returns the same text as Text, wrapped at a given width. Fewer than 24 columns count as 24. URLs are
// never broken.
func (p *Prompt) TextWrapped(columns int) string {
	return p.read(func(object *C.cli_auth_prompt) string {
		text := C.cli_auth_prompt_text_wrapped(object, C.uint32_t(max(0, min(columns, math.MaxInt32))))
		defer C.cli_auth_string_free(text)
		return C.GoString(text)
	})
}

// TextForStderr returns the same text as Text, as wide as the terminal, with the code in bold if standard error is a
// terminal. It honours NO_COLOR and TERM=dumb.
func (p *Prompt) TextForStderr() string {
	return p.read(func(object *C.cli_auth_prompt) string {
		return C.GoString(C.cli_auth_prompt_text_for_stderr(object))
	})
}

// OpenBrowser opens the verification page in the user's browser. It does so only if standard error is a terminal, this
// is neither an SSH session nor a CI job, and there is a display. BROWSER, if set, is tried first, also in an SSH
// session and without a display. It returns at once. The error says why no browser was started, and does not mean that
// the login failed. Show the code first: the page asks the user to compare it.
func (p *Prompt) OpenBrowser() error {
	if p == nil || p.native == nil {
		return misuse("the prompt must come from Login.Start")
	}
	started := false
	// The text is copied inside: it lives only as long as the prompt, which may be garbage collected afterwards.
	why := p.read(func(object *C.cli_auth_prompt) string {
		var why *C.char
		if started = bool(C.cli_auth_prompt_open_browser(object, &why)); started {
			return ""
		}
		return C.GoString(why)
	})
	if started {
		return nil
	}
	return errors.New(why)
}

func (p *Prompt) read(read func(*C.cli_auth_prompt) string) string {
	if p == nil || p.native == nil {
		return ""
	}
	// It is open: only the garbage collector closes it.
	object, _ := p.native.acquire()
	defer p.native.release()
	return read(object)
}
