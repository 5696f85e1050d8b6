package cliauth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"cliauth"
)

// A whole login. The test server, to which options point, plays the user.
func Example() {
	ctx := context.Background()
	client, err := cliauth.New(cliauth.AuthKit("client_123"), options(cliauth.WithProduct("my-cli/1.0"))...)
	if err != nil {
		panic(err)
	}
	defer client.Close()
	login := client.Login()
	defer login.Close()

	prompt, err := login.Start(ctx) // one request
	if err != nil {
		panic(err)
	}
	fmt.Fprint(os.Stderr, prompt.Text()) // code, URL, program name and a warning
	_ = prompt.OpenBrowser()             // not over SSH, in CI or without a display

	tokens, err := login.Poll(ctx, nil) // until approved, denied or expired
	if err != nil {
		panic(err)
	}
	if user := tokens.Identity; user != nil {
		fmt.Println("Logged in as", cliauth.Sanitize(user.Subject))
	}
	fmt.Println("Access token:", tokens.AccessToken)
	// Output:
	// Logged in as user_01EXAMPLEADA
	// Access token: ****
}

func ExampleNew() {
	_, err := cliauth.New(cliauth.AuthKit("client_123"), cliauth.WithProduct("my cli"))
	fmt.Println(err)
	// Output: the product must look like my-cli or my-cli/1.2
}

func ExampleWorkOSConnect() {
	client, err := cliauth.New(cliauth.WorkOSConnect("acme.authkit.app", "client_123"),
		cliauth.WithScopes("openid", "offline_access"))
	if err != nil {
		panic(err)
	}
	defer client.Close()
	// Output:
}

func ExampleIssuer() {
	client, err := cliauth.New(cliauth.Issuer("https://id.example.com/realms/main", "my-cli"),
		cliauth.WithParam("audience", "https://api.example.com"),
		cliauth.WithHeader("X-Tenant", "blue"),
		cliauth.WithConnectTimeout(5*time.Second))
	if err != nil {
		panic(err)
	}
	defer client.Close()
	// Output:
}

func ExampleEndpoints() {
	client, err := cliauth.New(cliauth.Endpoints("https://h/device", "https://h/token", "my-cli"),
		cliauth.WithRevocationEndpoint("https://h/revoke"),
		cliauth.WithClientSecret(cliauth.NewSecret("not secret in a program that others run"), cliauth.ClientSecretBasic))
	if err != nil {
		panic(err)
	}
	defer client.Close()
	// Output:
}

// While it waits, a login reports events. None of them is an error, and the program need not react to them.
func ExampleLogin_Poll_events() {
	login := exampleLogin()
	defer login.Close()
	_, err := login.Poll(context.Background(), func(event cliauth.Event) {
		switch event := event.(type) {
		case cliauth.Pending:
			fmt.Println("waiting, there is time left:", event.ExpiresIn > time.Second)
		case cliauth.SlowedDown:
			fmt.Println("polling every", event.Interval)
		case cliauth.Retrying:
			fmt.Println("no valid response:", event.Reason)
		case cliauth.Resumed:
			fmt.Println("the computer was suspended")
		case cliauth.IdentityUnverified:
			fmt.Println(event.Message)
		}
	})
	fmt.Println(err)
	// Output:
	// waiting, there is time left: true
	// <nil>
}

// A context that ends cancels the login.
func ExampleLogin_Poll_timeout() {
	login := undecidedLogin()
	defer login.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_, err := login.Poll(ctx, nil)
	fmt.Println(err)
	fmt.Println(errors.Is(err, cliauth.ErrCancelled), errors.Is(err, context.DeadlineExceeded))
	// Output:
	// the login was cancelled: context deadline exceeded
	// true true
}

func ExampleLogin_Cancel() {
	login := undecidedLogin()
	defer login.Close()
	time.AfterFunc(100*time.Millisecond, login.Cancel)
	_, err := login.Poll(context.Background(), nil)
	fmt.Println(err)
	// Output: the login was cancelled
}

// For programs with an event loop of their own.
func ExampleLogin_Step() {
	ctx := context.Background()
	login := exampleClient().Login()
	defer login.Close()
	for {
		step, err := login.Step(ctx, 10*time.Millisecond)
		if err != nil {
			panic(err)
		}
		switch step := step.(type) {
		case *cliauth.Prompt:
			fmt.Println("a code of", len(step.UserCode), "characters")
		case cliauth.Pending:
			fmt.Println("not approved yet")
		case cliauth.Waiting:
			// Do something else here: nothing happens for step.DueIn.
		case *cliauth.Tokens:
			fmt.Println("approved:", !step.AccessToken.IsZero())
			return
		}
	}
	// Output:
	// a code of 9 characters
	// not approved yet
	// approved: true
}

func ExampleError() {
	err := logIn(context.Background())
	var failure *cliauth.Error
	switch {
	case errors.Is(err, cliauth.ErrDenied):
		fmt.Println("You denied the request.")
	case errors.Is(err, cliauth.ErrActionRequired) && errors.As(err, &failure):
		fmt.Println("Choose in the browser:")
		for _, organization := range failure.Organizations {
			fmt.Println(" ", cliauth.Sanitize(organization.Name))
		}
	case err != nil:
		fmt.Println("Not logged in:", err)
	}
	// Output: You denied the request.
}

func ExampleClient_Refresh() {
	ctx := context.Background()
	client := exampleClient()
	tokens := exampleTokens(client)

	tokens, err := client.Refresh(ctx, tokens.RefreshToken)
	if err != nil {
		panic(err) // after cliauth.ErrLoginRequired, log in again
	}
	// Store it before you do anything else: the token that was sent is no longer valid.
	stored := tokens.RefreshToken.Expose()

	_, err = client.Refresh(ctx, cliauth.NewSecret(stored))
	fmt.Println(err)
	// Output: <nil>
}

// A refresh may ask for more than new tokens.
func ExampleClient_Refresh_options() {
	ctx := context.Background()
	client := exampleClient()
	tokens := exampleTokens(client)

	tokens, err := client.Refresh(ctx, tokens.RefreshToken,
		cliauth.RefreshParam("organization_id", "org_123"), // switches to another organization of WorkOS
		cliauth.RefreshSubject(tokens.Identity.Subject))    // refuses the tokens of another user
	if err != nil {
		panic(err)
	}
	fmt.Println(cliauth.Sanitize(tokens.Identity.OrganizationID))
	// Output: org_123
}

func ExampleClient_UserInfo() {
	client := exampleOpenIDClient()
	tokens := exampleTokens(client)
	user, err := client.UserInfo(context.Background(), tokens.AccessToken, tokens.Identity.Subject)
	if err != nil {
		panic(err)
	}
	fmt.Println(cliauth.Sanitize(user.Email))
	// Output: ada@example.test
}

// Claims are raw JSON.
func ExampleIdentity() {
	tokens := exampleTokens(exampleOpenIDClient())
	user := tokens.Identity
	var issuedAt int64
	if err := json.Unmarshal(user.Claims["iat"], &issuedAt); err != nil {
		panic(err)
	}
	fmt.Println(user, issuedAt > 0)
	// Output: cliauth.Identity{Subject:"user_01EXAMPLEADA"} true
}

func ExampleClient_Revoke() {
	client := exampleClient()
	tokens := exampleTokens(client)
	err := client.Revoke(context.Background(), tokens.RefreshToken)
	if errors.Is(err, cliauth.ErrUnsupported) { // WorkOS has no revocation endpoint
		fmt.Println("The token ends with its lifetime.")
	}
	// Output: The token ends with its lifetime.
}

func ExampleSecret() {
	secret := cliauth.NewSecret("hunter2")
	fmt.Printf("%v %+v %s %q %x\n", secret, struct{ Token cliauth.Secret }{secret}, secret, secret, secret)

	encoded, _ := json.Marshal(map[string]any{"token": secret})
	fmt.Println(string(encoded))

	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: withoutTime}))
	logger.Info("logged in", "token", secret)

	fmt.Println(secret.Expose())
	// Output:
	// **** {Token:****} **** **** ****
	// {"token":"****"}
	// level=INFO msg="logged in" token=****
	// hunter2
}

func ExamplePrompt_TextWrapped() {
	login := exampleLogin()
	defer login.Close()
	text := login.Prompt().TextWrapped(40)
	fmt.Println(strings.Contains(text, login.Prompt().UserCode))
	// Output: true
}

func ExampleSanitize() {
	fmt.Println(cliauth.Sanitize("user\x1b[2J"))
	// Output: user�[2J
}
