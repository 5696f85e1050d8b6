// Login-example signs a user in from a terminal. Copy it: what a tool needs around cliauth is all here.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"syscall"
	"time"

	"cliauth"
)

const version = "0.1.0"

// grace is how long a login that was ended may take to say so. Revoking a token that came too late takes up to two seconds.
const grace = 3 * time.Second

func main() {
	options := readArguments(os.Args[1:])
	// Whoever reads our output may go away: then writing fails, and the program does not die of it.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	var out output = &words{}
	if options.json {
		out = jsonLines{}
	}
	status, err := logIn(options, out)
	if err != nil {
		// There is no reader left.
		status = 1
	}
	os.Exit(status)
}

// logIn logs in and gives the exit status. Its error is that standard output was closed.
func logIn(options *options, out output) (status int, err error) {
	if options.timeout > 0 {
		leaveAfter(min(options.timeout, math.MaxInt64-grace)+grace, exitStatus(cliauth.ErrExpired))
	}
	ctx := endedBySignal()
	client, err := newClient(options)
	if err != nil {
		return failed(ctx, err, out)
	}
	defer client.Close()
	login := client.Login()
	defer login.Close()

	prompt, err := login.Start(ctx)
	if err != nil {
		return failed(ctx, err, out)
	}
	if err := out.prompt(prompt); err != nil {
		return 1, err
	}
	if !options.json && !options.noBrowser && prompt.OpenBrowser() == nil {
		say("A browser should open now. If it does not, open the address yourself.\n")
	}
	var written error
	tokens, err := login.Poll(ctx, func(event cliauth.Event) {
		if written = out.event(event); written != nil {
			login.Cancel()
		}
	})
	switch {
	case written != nil:
		return 1, written
	case err != nil:
		return failed(ctx, err, out)
	}
	return 0, out.authorized(tokens)
}

// failed tells of an error, and gives the exit status for it.
func failed(ctx context.Context, err error, out output) (int, error) {
	var failure *cliauth.Error
	if !errors.As(err, &failure) {
		failure = &cliauth.Error{Kind: cliauth.ErrInternal, Message: err.Error()}
	}
	var caught interrupted
	if errors.Is(err, cliauth.ErrCancelled) && errors.As(context.Cause(ctx), &caught) {
		// Whoever pressed Ctrl-C knows that.
		failure = &cliauth.Error{Kind: cliauth.ErrCancelled, Message: "the login was cancelled"}
		return 128 + int(caught.Signal), out.failed(failure)
	}
	return exitStatus(failure.Kind), out.failed(failure)
}

func exitStatus(kind cliauth.Kind) int {
	switch kind {
	case cliauth.ErrDenied:
		return 3
	case cliauth.ErrExpired:
		return 4
	case cliauth.ErrActionRequired:
		return 5
	}
	return 1
}

func newClient(o *options) (*cliauth.Client, error) {
	settings := []cliauth.Option{
		cliauth.WithProduct("login-example/" + version),
		cliauth.WithScopes(o.scopes...),
		cliauth.AllowInsecureLoopback(o.insecureLoopback),
	}
	for _, param := range o.params {
		settings = append(settings, cliauth.WithParam(param.name, param.value))
	}
	for _, header := range o.headers {
		settings = append(settings, cliauth.WithHeader(header.name, header.value))
	}
	if o.timeout > 0 {
		settings = append(settings, cliauth.WithLoginTimeout(o.timeout))
	}
	if o.given["ca-file"] {
		pem, err := readCertificates(o.caFile)
		if err != nil {
			return nil, wrongSetting("cannot read the certificates: %v", err)
		}
		settings = append(settings, cliauth.WithCAPEM(pem))
	}
	if name := o.clientSecretEnv; o.given["client-secret-env"] {
		secret, set := os.LookupEnv(name)
		if !set {
			return nil, wrongSetting("the variable %s is not set", name)
		}
		settings = append(settings, cliauth.WithClientSecret(cliauth.NewSecret(secret), cliauth.ClientSecretAuto))
	}
	if o.given["api-base"] {
		settings = append(settings, cliauth.WithAPIBase(o.apiBase))
	}
	switch o.provider {
	case "authkit":
		return cliauth.New(cliauth.AuthKit(o.clientID), settings...)
	case "connect":
		return cliauth.New(cliauth.WorkOSConnect(o.domain, o.clientID), settings...)
	case "oidc":
		return cliauth.New(cliauth.Issuer(o.issuer, o.clientID), settings...)
	default:
		return cliauth.New(cliauth.Endpoints(o.deviceEndpoint, o.tokenEndpoint, o.clientID), settings...)
	}
}

func wrongSetting(format string, args ...any) error {
	return &cliauth.Error{Kind: cliauth.ErrInvalidConfig, Message: fmt.Sprintf(format, args...)}
}

func readCertificates(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	// Nobody has more than 4 MiB of certificates: one byte more is refused.
	return io.ReadAll(io.LimitReader(file, 4<<20+1))
}

// interrupted is why a context ended.
type interrupted struct{ syscall.Signal }

func (i interrupted) Error() string { return i.Signal.String() }

// endedBySignal gives a context that ends at the first Ctrl-C or SIGTERM, and knows which it was; signal.NotifyContext would not
// tell. The login then ends by itself. A second signal ends the program on the spot.
func endedBySignal() context.Context {
	ctx, end := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		caught := (<-signals).(syscall.Signal)
		signal.Reset(syscall.SIGINT, syscall.SIGTERM)
		leaveAfter(grace, 128+int(caught))
		end(interrupted{caught})
	}()
	return ctx
}

// leaveAfter ends the program even where its output is not read and a full pipe holds it up.
func leaveAfter(limit time.Duration, status int) {
	time.AfterFunc(limit, func() { os.Exit(status) })
}
