// Logs in at the server that its arguments name.
package main

import (
	"context"
	"fmt"
	"os"

	"cliauth"
)

func main() {
	client, err := cliauth.New(cliauth.AuthKit("client_cli"), cliauth.WithAPIBase(os.Args[1]), cliauth.WithInsecureLoopback(true))
	if err != nil {
		panic(err)
	}
	login := client.Login()
	defer login.Close()
	if _, err := login.Start(context.Background()); err != nil {
		panic(err)
	}
	tokens, err := login.Poll(context.Background(), nil)
	if err != nil {
		panic(err)
	}
	fmt.Println("Logged in as", cliauth.Sanitize(tokens.Identity.Subject))
}
