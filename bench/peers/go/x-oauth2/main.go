// golang.org/x/oauth2, used as documented. The client authentication is set to the form, because with automatic
// detection every poll is sent twice.
package main

import (
	"context"
	"net/http"
	"peers/peer"

	"golang.org/x/oauth2"
)

func main() { peer.Run(logIn) }

func logIn(client *http.Client, url string, show func(userCode string)) error {
	ctx := context.WithValue(context.Background(), oauth2.HTTPClient, client)
	config := oauth2.Config{
		ClientID: "bench",
		Endpoint: oauth2.Endpoint{
			DeviceAuthURL: url + "/oauth2/device_authorization",
			TokenURL:      url + "/oauth2/token",
			AuthStyle:     oauth2.AuthStyleInParams,
		},
	}
	code, err := config.DeviceAuth(ctx)
	if err != nil {
		return err
	}
	show(code.UserCode)
	_, err = config.DeviceAccessToken(ctx, code)
	return err
}
