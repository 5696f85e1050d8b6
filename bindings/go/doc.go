// Package cliauth signs users in to command-line tools with the OAuth 2.0 Device Authorization Grant (RFC 8628). The
// tool prints a code and a URL, the user approves in any browser, and the tool receives tokens.
//
//	client, err := cliauth.New(cliauth.AuthKit("client_123"), cliauth.WithProduct("my-cli/1.0"))
//	...
//	login := client.Login()
//	defer login.Close()
//	prompt, err := login.Start(ctx)
//	...
//	fmt.Fprint(os.Stderr, prompt.Text())
//	tokens, err := login.Poll(ctx, nil)
//
// A [Client] holds the settings for one authorization server. A [Login] is a single login attempt.
//
// # Contexts
//
// When a context ends, it ends the call and also cancels the whole login, as [Login.Cancel] does, even while a request
// is in progress. The error then matches [ErrCancelled], the error of the context and its cause.
//
// # Errors
//
// Every error of a client or a login is an [*Error]. Its Kind says what to do next, and errors.Is matches it:
//
//	if errors.Is(err, cliauth.ErrDenied) { ... }
//
// # Secrets
//
// Tokens are [Secret] values. Printing, logging and encoding them shows ****. Only [Secret.Expose] returns the text.
// Everything else that comes from a server is untrusted input: pass values that are documented as raw to [Sanitize]
// before you show them to a user.
//
// # Goroutines and threads
//
// Every value may be used from any goroutine, but only one call at a time drives a login: another call fails with
// [ErrBusy]. Logins wait in Go, so ten thousand of them at once need only a few threads. No goroutine is left running
// when a call returns. Callbacks run on the goroutine that made the call.
//
// The package calls a C library, so it needs cgo and a C compiler.
package cliauth
