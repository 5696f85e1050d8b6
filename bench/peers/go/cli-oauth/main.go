// github.com/cli/oauth, used as documented. It waits 1.2 times the interval and always sends a scope, which must not be
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
