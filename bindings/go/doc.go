// Package cliauth signs users in to command-line tools by the OAuth 2.0 Device Authorization Grant (RFC 8628): the tool prints a
// code and an address, the user approves in any browser, and the tool receives tokens.
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
// A context that ends does not only end the call: it cancels the whole login, as [Login.Cancel] does, also while a request
// is under way. The error then matches [ErrCancelled], the context's own error and its cause.
//
// # Errors
//
// Every error of a client or a login is an [*Error]. Its Kind says what to do next, and errors.Is finds it:
//
//	if errors.Is(err, cliauth.ErrDenied) { ... }
//
// # Secrets
//
// Tokens are [Secret] values. Printing, logging and encoding show ****; the one way out is [Secret.Expose]. Everything else that
// comes from a server is untrusted input: what is called raw must go through [Sanitize] before it is shown to a user.
//
// # Goroutines and threads
//
// Everything may be used from any goroutine, but one call drives a login at a time: a second one fails with [ErrBusy]. Logins wait
// in Go: ten thousand of them at once need a handful of threads. No goroutine is left when a call returns, and callbacks run on
// the goroutine that made the call.
//
// The package calls a library in C, so it needs cgo and a C compiler.
package cliauth
