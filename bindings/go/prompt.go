package cliauth

// #include "native.h"
import "C"

import (
	"errors"
	"math"
	"runtime"
	"time"
)

// Prompt is the code and the address that a user needs to approve a login (RFC 8628 section 3.2). It comes from
// [Login.Start].
//
// [Prompt.Text] is ready for a terminal. The fields are what the server sent, unchanged, for programs: [Sanitize] them before
// printing. There is no device code in it. It needs no closing.
type Prompt struct {
	// UserCode is the code that the user compares or types, raw.
	UserCode string
	// VerificationURI is where the user types the code, raw. It is https (or loopback where allowed), without a user name.
	VerificationURI string
	// VerificationURIComplete is the same with the code in it, raw. Empty where the server sent none. Show the code beside it
	// all the same.
	VerificationURIComplete string
	// ExpiresIn is how long the code lives, counted from before it was asked for.
	ExpiresIn time.Duration
	// Host is the host that the user is sent to, in ASCII form, so that look-alike letters show.
	Host string
	// Product is the name in [WithProduct], without the version. Empty where none was set.
	Product string

	native *native[*C.cli_auth_prompt]
}

func newPrompt(object *C.cli_auth_prompt) *Prompt {
	p := &Prompt{
		UserCode:                C.GoString(C.cli_auth_prompt_user_code(object)),
		VerificationURI:         C.GoString(C.cli_auth_prompt_verification_uri(object)),
		VerificationURIComplete: C.GoString(C.cli_auth_prompt_verification_uri_complete(object)),
		ExpiresIn:               durationOf(C.cli_auth_prompt_expires_in(object)),
		Host:                    C.GoString(C.cli_auth_prompt_host(object)),
		Product:                 C.GoString(C.cli_auth_prompt_product(object)),
		native:                  newNative(object, func(object *C.cli_auth_prompt) { C.cli_auth_prompt_free(object) }),
	}
	runtime.AddCleanup(p, (*native[*C.cli_auth_prompt]).close, p.native)
	return p
}

// Text is the prompt for a user, plain, in 80 columns: code, address, the name of the program, and a warning. It is safe to print and ends
// with a line break.
func (p *Prompt) Text() string {
	return p.read(func(object *C.cli_auth_prompt) string { return C.GoString(C.cli_auth_prompt_text(object)) })
}

// TextWrapped is Text in another width. Less than 24 columns count as 24; addresses are never broken.
func (p *Prompt) TextWrapped(columns int) string {
	return p.read(func(object *C.cli_auth_prompt) string {
		text := C.cli_auth_prompt_text_wrapped(object, C.uint32_t(max(0, min(columns, math.MaxInt32))))
		defer C.cli_auth_string_free(text)
		return C.GoString(text)
	})
}

// TextForStderr is Text as wide as standard error, with a bold code where that is a terminal. NO_COLOR and TERM=dumb are
// honoured.
func (p *Prompt) TextForStderr() string {
	return p.read(func(object *C.cli_auth_prompt) string {
		return C.GoString(C.cli_auth_prompt_text_for_stderr(object))
	})
}

// OpenBrowser opens the page in the user's browser, where that makes sense: standard error is a terminal, this is no SSH
// session and no CI job, and there is a display. BROWSER is honoured. It returns at once; the error says why none was started,
// and is no reason to give the login up. Show the code first: the page asks the user to compare it.
func (p *Prompt) OpenBrowser() error {
	if p.native == nil {
		return errors.New("this prompt did not come from a login")
	}
	started := false
	// Copied inside: the text lives as long as the prompt, which may be garbage afterwards.
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
	if p.native == nil {
		return ""
	}
	// It is closed only once p is garbage.
	object, _ := p.native.acquire()
	defer p.native.release()
	text := read(object)
	runtime.KeepAlive(p)
	return text
}
