// Login-example signs a user in from a terminal. It contains everything that a tool needs around cliauth, and is meant
// to be copied.
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

// grace is how long a cancelled login may take to return. Revoking a token that arrived too late takes up to 2 seconds.
const grace = 3 * time.Second

func main() {
	options := readArguments(os.Args[1:])
	// If the reader of the output goes away, writing must fail, and must not kill the program.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	var out output = &words{inPlace: canRewrite()}
	if options.json {
		out = jsonLines{}
	}
	status, err := logIn(options, out)
	if err != nil {
		// The reader of standard output is gone.
		status = 1
	}
	os.Exit(status)
}

// logIn logs in and returns the exit status. An error means that standard output was closed.
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

// failed reports an error and returns the exit status for it.
func failed(ctx context.Context, err error, out output) (int, error) {
	var failure *cliauth.Error
	if !errors.As(err, &failure) {
		failure = &cliauth.Error{Kind: cliauth.ErrInternal, Message: err.Error()}
	}
	var caught interrupted
	if errors.Is(err, cliauth.ErrCancelled) && errors.As(context.Cause(ctx), &caught) {
		// The user knows about the signal, so the message does not name it.
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
		cliauth.WithInsecureLoopback(o.insecureLoopback),
		cliauth.WithPKCE(o.pkce),
	}
	for _, param := range o.params {
		settings = append(settings, cliauth.WithParam(param.name, param.value))
	}
	for _, param := range o.tokenParams {
		settings = append(settings, cliauth.WithTokenParam(param.name, param.value))
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
		settings = append(settings, cliauth.WithClientSecret(cliauth.NewSecret(secret), cliauth.ClientAuthAuto))
	}
	if o.given["api-base"] {
		settings = append(settings, cliauth.WithAPIBase(o.apiBase))
	}
	if o.given["revocation-endpoint"] {
		settings = append(settings, cliauth.WithRevocationEndpoint(o.revocationEndpoint))
	}
	switch o.provider {
	case "authkit":
		return cliauth.New(cliauth.AuthKit(o.clientID), settings...)
	case "connect":
		return cliauth.New(cliauth.WorkOSConnect(o.domain, o.clientID), settings...)
	case "oidc":
		if o.given["device-endpoint"] {
			settings = append(settings, cliauth.WithDeviceAuthorizationEndpoint(o.deviceEndpoint))
		}
		if o.given["token-endpoint"] {
			settings = append(settings, cliauth.WithTokenEndpoint(o.tokenEndpoint))
		}
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
	// The library accepts at most 4 MiB. One byte more is read, so that it refuses a larger file.
	return io.ReadAll(io.LimitReader(file, 4<<20+1))
}

// interrupted is the cause of a context that a signal ended.
type interrupted struct{ syscall.Signal }

func (i interrupted) Error() string { return i.Signal.String() }

// endedBySignal returns a context that ends at the first Ctrl-C or SIGTERM. Its cause names the signal, which
// signal.NotifyContext does not provide. The login then returns. A second signal ends the program at once.
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

// leaveAfter ends the program after limit, even if a full pipe that is not read blocks it.
func leaveAfter(limit time.Duration, status int) {
	time.AfterFunc(limit, func() { os.Exit(status) })
}
