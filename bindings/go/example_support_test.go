package cliauth_test

import (
	"context"
	"log/slog"

	"cliauth"
	"cliauth/internal/authserver"
)

// options returns the options for a server that approves after one pending poll.
func options(more ...cliauth.Option) []cliauth.Option {
	server := authserver.Make(settings{
		"answer": "approve", "answer_after_polls": 1, "user": settings{"id": "user_01EXAMPLEADA"},
		"organizations": []settings{{"id": "org_123", "name": "Example"}},
	})
	return server.Options(append(more, cliauth.WithAPIBase(server.URL))...)
}

func exampleClient() *cliauth.Client {
	client, err := cliauth.New(cliauth.AuthKit("client_123"), options()...)
	if err != nil {
		panic(err)
	}
	return client
}

// exampleOpenIDClient returns a client of a server that issues ID tokens.
func exampleOpenIDClient() *cliauth.Client {
	server := authserver.Make(settings{"answer": "approve", "user": settings{"id": "user_01EXAMPLEADA"}})
	client, err := cliauth.New(cliauth.Issuer(server.Issuer, "my-cli"),
		server.Options(cliauth.WithScopes("openid", "email"))...)
	if err != nil {
		panic(err)
	}
	return client
}

// exampleLogin returns a login that has been started.
func exampleLogin() *cliauth.Login { return startedBy(exampleClient()) }

// undecidedLogin returns a login that the user neither approves nor denies.
func undecidedLogin() *cliauth.Login {
	server := authserver.Make(nil)
	client, err := cliauth.New(cliauth.AuthKit("client_123"), server.Options(cliauth.WithAPIBase(server.URL))...)
	if err != nil {
		panic(err)
	}
	return startedBy(client)
}

func startedBy(client *cliauth.Client) *cliauth.Login {
	login := client.Login()
	if _, err := login.Start(context.Background()); err != nil {
		panic(err)
	}
	return login
}

func exampleTokens(client *cliauth.Client) *cliauth.Tokens {
	login := client.Login()
	defer login.Close()
	if _, err := login.Start(context.Background()); err != nil {
		panic(err)
	}
	tokens, err := login.Poll(context.Background(), nil)
	if err != nil {
		panic(err)
	}
	return tokens
}

// logIn starts a login that the user denies.
func logIn(ctx context.Context) error {
	server := authserver.Make(settings{"answer": "deny"})
	client, err := cliauth.New(cliauth.AuthKit("client_123"), server.Options(cliauth.WithAPIBase(server.URL))...)
	if err != nil {
		return err
	}
	defer client.Close()
	login := client.Login()
	defer login.Close()
	if _, err := login.Start(ctx); err != nil {
		return err
	}
	_, err = login.Poll(ctx, nil)
	return err
}

func withoutTime(groups []string, attribute slog.Attr) slog.Attr {
	if len(groups) == 0 && attribute.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return attribute
}
