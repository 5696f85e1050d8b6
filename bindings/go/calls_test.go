package cliauth_test

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"cliauth"
	"cliauth/internal/authserver"
)

func TestRefreshAndRevoke(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, settings{"answer": "approve"})
	client := server.ClientByIssuer(t, cliauth.WithScopes("openid", "offline_access"))
	first, err := started(t, client).Poll(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	second, err := client.Refresh(t.Context(), first.RefreshToken)
	if err != nil {
		t.Fatal(err)
	}
	if second.RefreshToken.Equal(first.RefreshToken) || second.AccessToken.Equal(first.AccessToken) ||
		second.RefreshToken.IsZero() {
		t.Error("nothing new")
	}
	if err := client.Revoke(t.Context(), second.RefreshToken); err != nil {
		t.Error(err)
	}
	_, err = client.Refresh(t.Context(), second.RefreshToken)
	isError(t, err, cliauth.ErrLoginRequired)
	sent := server.Requests("refresh")[0].Fields("refresh_token")
	if !reflect.DeepEqual(sent, []string{first.RefreshToken.Expose()}) {
		t.Error("another token was sent")
	}
}

func TestWorkOSCannotRevoke(t *testing.T) {
	t.Parallel()
	err := authserver.New(t, nil).Client(t).Revoke(t.Context(), cliauth.NewSecret("token"))
	isError(t, err, cliauth.ErrUnsupported)
}

func TestARequestEndsWithItsContext(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]struct {
		endpoint string
		make     func(*cliauth.Client, context.Context) error
	}{
		"refresh": {"refresh", func(client *cliauth.Client, ctx context.Context) error {
			_, err := client.Refresh(ctx, cliauth.NewSecret("token"))
			return err
		}},
		"userinfo": {"userinfo", func(client *cliauth.Client, ctx context.Context) error {
			_, err := client.UserInfo(ctx, cliauth.NewSecret("token"), "")
			return err
		}},
		"revoke": {"revoke", func(client *cliauth.Client, ctx context.Context) error {
			return client.Revoke(ctx, cliauth.NewSecret("token"))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := authserver.Silent(t, call.endpoint)
			client := server.ClientByIssuer(t)
			ctx, cancel := context.WithCancel(t.Context())
			request := inBackground(func() (struct{}, error) { return struct{}{}, call.make(client, ctx) })
			server.WaitFor(t, call.endpoint, 1)
			request.endsAtOnce(t, cancel, cliauth.ErrCancelled, context.Canceled)
			ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			isError(t, call.make(client, ctx), cliauth.ErrCancelled, context.DeadlineExceeded)
		})
	}
}

func TestATokenMustBeAText(t *testing.T) {
	t.Parallel()
	client := authserver.New(t, nil).ClientByIssuer(t)
	for _, text := range []string{"a\x00b", "a\xffb"} {
		err := client.Revoke(t.Context(), cliauth.NewSecret(text))
		if isError(t, err, cliauth.ErrMisuse); strings.Contains(err.Error(), text) {
			t.Error(err)
		}
	}
}

func TestEverySettingReachesTheServer(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, settings{
		"answer": "approve", "tls": "good",
		"clients": []settings{{
			"client_id": "client_test", "secret": "s3cr3t",
			"auth_methods": []string{"client_secret_basic", "client_secret_post"},
		}},
	})
	for auth, basic := range map[cliauth.ClientAuth]bool{
		cliauth.ClientAuthAuto: true, cliauth.ClientSecretBasic: true, cliauth.ClientSecretPost: false,
	} {
		client := server.ClientByIssuer(t,
			cliauth.WithProduct("my-cli/1.2"), cliauth.WithScopes("openid"), cliauth.WithScopes("email", "profile"),
			cliauth.WithParam("resource", "https://a"), cliauth.WithParam("resource", "https://b"),
			cliauth.WithParam("audience", "ü"),
			cliauth.WithHeader("X-Tenant", "blue"), cliauth.WithClientSecret(cliauth.NewSecret("s3cr3t"), auth),
			cliauth.WithConnectTimeout(time.Minute), cliauth.WithReadTimeout(time.Minute),
			cliauth.WithRequestTimeout(time.Minute), cliauth.WithLoginTimeout(time.Minute),
		)
		started(t, client)
		requests := server.Requests("device")
		sent := requests[len(requests)-1]
		if !strings.HasPrefix(sent.Header("User-Agent"), "my-cli/1.2 ") || sent.Header("X-Tenant") != "blue" {
			t.Error(sent.Headers)
		}
		for field, values := range map[string][]string{
			"scope": {"openid email profile"}, "resource": {"https://a", "https://b"}, "audience": {"ü"},
		} {
			if !reflect.DeepEqual(sent.Fields(field), values) {
				t.Errorf("%s: %q", field, sent.Fields(field))
			}
		}
		inHeader, inBody := sent.Header("Authorization") != "", sent.Fields("client_secret") != nil
		if inHeader != basic || inBody == basic {
			t.Errorf("client authentication %d: in the header %v, in the body %v", auth, inHeader, inBody)
		}
	}
}

func TestEveryKindOfClient(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, settings{"answer": "approve"})
	at := func(path string) string { return server.URL + "/oauth2/" + path }
	for name, make := range map[string]func() (*cliauth.Client, error){
		"authkit": func() (*cliauth.Client, error) {
			return cliauth.New(cliauth.AuthKit("client_test"), server.Options(cliauth.WithAPIBase(server.URL))...)
		},
		"workos_connect": func() (*cliauth.Client, error) {
			return cliauth.New(cliauth.WorkOSConnect(server.URL, "client_test"), server.Options()...)
		},
		"issuer": func() (*cliauth.Client, error) {
			return cliauth.New(cliauth.Issuer(server.Issuer, "client_test"), server.Options()...)
		},
		"endpoints": func() (*cliauth.Client, error) {
			return cliauth.New(cliauth.Endpoints(at("device_authorization"), at("token"), "client_test"),
				server.Options(cliauth.WithRevocationEndpoint(at("revoke")))...)
		},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := make()
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			tokens, err := started(t, client).Poll(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			err = client.Revoke(t.Context(), tokens.AccessToken)
			if name == "authkit" || name == "workos_connect" {
				isError(t, err, cliauth.ErrUnsupported)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestVersion(t *testing.T) {
	if strings.Count(cliauth.Version(), ".") != 2 {
		t.Error(cliauth.Version())
	}
}
