// Runs the functions of the Go guide against a test server that approves. The test writes them beside this file, as
// functions.go.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"cliauth"
)

func main() {
	ctx := context.Background()
	client, err := testClient(os.Getenv("CLI_AUTH_TEST_SERVER"))
	check(err == nil, err)
	defer client.Close()

	tokens, err := logIn(ctx, client)
	check(err == nil, err)
	request, err := callTheAPI(ctx, "https://api.example.com/me", tokens)
	check(err == nil, err)
	check(request.Header.Get("Authorization") == "Bearer "+tokens.AccessToken.Expose(), "another header")

	renewed, err := renew(ctx, client, tokens)
	check(err == nil, err)
	check(!renewed.RefreshToken.Equal(tokens.RefreshToken), "the old refresh token")
	_, err = renew(ctx, client, &cliauth.Tokens{RefreshToken: cliauth.NewSecret("dead")})
	check(errors.Is(err, cliauth.ErrLoginRequired), err)
	who, err := whoAmI(ctx, client, tokens)
	check(err == nil && who == "Ada Example <ada@example.test>", who)
	_, err = whoAmI(ctx, client, &cliauth.Tokens{AccessToken: tokens.AccessToken})
	check(errors.Is(err, cliauth.ErrUnsupported), err)
	_, err = switchTo(ctx, client, renewed, "org_unknown")
	check(errors.Is(err, cliauth.ErrRejected), err)
	check(logOut(ctx, client, renewed) == nil, "not logged out")

	check(withinTwoMinutes(ctx, client) == nil, "not within two minutes")
	stopped, stop := context.WithCancel(ctx)
	stop()
	err = withinTwoMinutes(stopped, client)
	check(err != nil && err.Error() == "stopped", err)

	explain(&cliauth.Error{Kind: cliauth.ErrDenied})
	explain(&cliauth.Error{
		Kind: cliauth.ErrActionRequired, Message: "choose an organization",
		Organizations: []cliauth.Organization{{ID: "org_1", Name: "Acme"}},
	})
	explain(errors.New("no network"))
	fmt.Println("all of the guide ran")
}

func check(holds bool, otherwise any) {
	if !holds {
		log.Fatalf("not so: %v", otherwise)
	}
}
