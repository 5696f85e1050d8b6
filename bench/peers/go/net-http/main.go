// RFC 8628 implemented with net/http, as in tools that use no OAuth library.
package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"peers/peer"
	"time"
)

func main() { peer.Run(logIn) }

func logIn(client *http.Client, issuer string, show func(userCode string)) error {
	var code struct {
		DeviceCode string  `json:"device_code"`
		UserCode   string  `json:"user_code"`
		Interval   float64 `json:"interval"`
	}
	code.Interval = 5
	form := url.Values{"client_id": {"bench"}}
	if err := post(client, issuer+"/oauth2/device_authorization", form, &code); err != nil {
		return err
	}
	show(code.UserCode)

	form.Set("grant_type", "urn:ietf:params:oauth:grant-type:device_code")
	form.Set("device_code", code.DeviceCode)
	for {
		time.Sleep(time.Duration(code.Interval * float64(time.Second)))
		var answer struct {
			AccessToken string `json:"access_token"`
			Error       string `json:"error"`
		}
		if err := post(client, issuer+"/oauth2/token", form, &answer); err != nil {
			return err
		}
		switch answer.Error {
		case "authorization_pending":
		case "slow_down":
			code.Interval += 5
		case "":
			if answer.AccessToken != "" {
				return nil
			}
			return fmt.Errorf("a response without a token")
		default:
			return fmt.Errorf("no token: %s", answer.Error)
		}
	}
}

func post(client *http.Client, url string, form url.Values, answer any) error {
	response, err := client.PostForm(url, form)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	return json.NewDecoder(response.Body).Decode(answer)
}
