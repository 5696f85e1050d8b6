// github.com/cli/oauth as its documentation uses it. It waits 1.2 times the interval. It always sends a scope, which may not be
// empty.
package main

import (
	"context"
	"net/http"
	"peers/peer"

	"github.com/cli/oauth/device"
)

func main() { peer.Run(logIn) }

func logIn(client *http.Client, url string, show func(userCode string)) error {
	code, err := device.RequestCode(client, url+"/oauth2/device_authorization", "bench", []string{"email"})
	if err != nil {
		return err
	}
	show(code.UserCode)
	_, err = device.Wait(context.Background(), client, url+"/oauth2/token", device.WaitOptions{
		ClientID:   "bench",
		DeviceCode: code,
	})
	return err
}
