package cliauth_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"cliauth"
	"cliauth/internal/authserver"
)

func TestHowALoginEnds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		step any
		kind cliauth.Kind
		code string
	}{
		"denied":   {"access_denied", cliauth.ErrDenied, "access_denied"},
		"expired":  {"expired_token", cliauth.ErrExpired, "expired_token"},
		"rejected": {"invalid_client", cliauth.ErrRejected, "invalid_client"},
		"nonsense": {settings{"json": settings{"a": 1}}, cliauth.ErrInvalidResponse, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			login := started(t, authserver.Scripted(t, "token", test.step).Client(t))
			tokens, err := login.Poll(t.Context(), nil)
			found := isError(t, err, test.kind)
			if found.Kind != test.kind || found.OAuthError != test.code || tokens != nil || found.Message == "" {
				t.Errorf("%+v", found)
			}
			_, again := login.Poll(t.Context(), nil)
			if isError(t, again, test.kind).Message != found.Message {
				t.Error("another outcome")
			}
		})
	}
}

func TestWhatTheServerSaysIsAllThere(t *testing.T) {
	t.Parallel()
	server := authserver.Scripted(t, "device", settings{
		"status": 400, "json": settings{"error": "invalid_scope", "error_description": "no \x1b[2J such scope"},
		"headers": settings{"x-request-id": "req_1", "Retry-After": "7"},
	})
	login := server.Client(t).Login()
	defer login.Close()
	_, err := login.Start(t.Context())
	found := isError(t, err, cliauth.ErrRejected)
	if found.OAuthError != "invalid_scope" || found.Description != "no \uFFFD[2J such scope" || found.HTTPStatus != 400 ||
		found.RequestID != "req_1" || found.RetryAfter != 7*time.Second ||
		!strings.Contains(found.Message, found.Description) {
		t.Errorf("%+v", found)
	}
}

func TestActionRequired(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, settings{
		"answer":        settings{"decision": "step_up", "body": settings{"pending_authentication_token": hidden}},
		"organizations": []settings{{"id": "org_1", "name": "One"}, {"id": "org_2", "name": "Two"}},
	})
	_, err := started(t, server.Client(t)).Poll(t.Context(), nil)
	found := isError(t, err, cliauth.ErrActionRequired)
	expected := []cliauth.Organization{{ID: "org_1", Name: "One"}, {ID: "org_2", Name: "Two"}}
	if found.OAuthError != "organization_selection_required" || found.HTTPStatus != 403 ||
		!reflect.DeepEqual(found.Organizations, expected) {
		t.Errorf("%+v", found)
	}
	if found.PendingAuthenticationToken.Expose() != hidden || leaks(found.Error()) {
		t.Error("the pending token")
	}
	if member := found.Members["pending_authentication_token"]; member.Expose() != strconv.Quote(hidden) {
		t.Error(member.Expose())
	}
}

func TestEveryMemberOfAnErrorResponseIsThere(t *testing.T) {
	t.Parallel()
	server := authserver.Scripted(t, "refresh", settings{"status": 400, "json": settings{
		"error": "invalid_grant", "suberror": "bad_token", "trace": settings{"id": hidden},
	}}, settings{"status": 400, "body": "no JSON"})
	client := server.ClientByIssuer(t)
	_, err := client.Refresh(t.Context(), cliauth.NewSecret("token-1234"))
	found := isError(t, err, cliauth.ErrLoginRequired)
	members := map[string]string{}
	for name, member := range found.Members {
		members[name] = member.Expose()
	}
	expected := map[string]string{
		"error": `"invalid_grant"`, "suberror": `"bad_token"`, "trace": `{"id":"` + hidden + `"}`,
	}
	if !reflect.DeepEqual(members, expected) {
		t.Errorf("%q", members)
	}
	for _, verb := range []string{"%v", "%+v", "%#v"} {
		for _, value := range []any{found, *found} {
			if text := fmt.Sprintf(verb, value); leaks(text) || strings.Contains(text, "bad_token") {
				t.Errorf("%s shows a member: %s", verb, text)
			}
		}
	}
	_, err = client.Refresh(t.Context(), cliauth.NewSecret("token-1234"))
	if found := isError(t, err); found.Members != nil || found.HTTPStatus != 400 {
		t.Errorf("%+v", found)
	}
}

func TestNobodyIsThere(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, nil)
	server.Listening(false)
	defer server.Listening(true)
	login := server.Client(t).Login()
	defer login.Close()
	_, err := login.Start(t.Context())
	found := isError(t, err, cliauth.ErrNetwork)
	if found.HTTPStatus != 0 || found.OAuthError != "" || found.Organizations != nil {
		t.Errorf("%+v", found)
	}
	if found.Detail != "Connection refused (os error 111)" || strings.Contains(found.Message, found.Detail) {
		t.Errorf("%q %q", found.Detail, found.Message)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	good := authserver.New(t, settings{"tls": "good", "answer": "approve"})
	if _, err := started(t, good.Client(t)).Poll(t.Context(), nil); err != nil {
		t.Error(err)
	}
	login := authserver.New(t, settings{"tls": "wrong_name"}).Client(t).Login()
	defer login.Close()
	_, err := login.Start(t.Context())
	isError(t, err, cliauth.ErrTLS)
}

func TestACodeThatNobodyAnswersExpires(t *testing.T) {
	t.Parallel()
	login := started(t, authserver.New(t, settings{"expires_in": 2}).Client(t))
	_, err := login.Poll(t.Context(), nil)
	isError(t, err, cliauth.ErrExpired)
}

func TestALoginTimeoutEndsAsExpired(t *testing.T) {
	t.Parallel()
	login := authserver.Silent(t, "device").Client(t, cliauth.WithLoginTimeout(time.Second)).Login()
	defer login.Close()
	began := time.Now()
	_, err := login.Start(t.Context())
	isError(t, err, cliauth.ErrExpired)
	if took := time.Since(began); took > soon {
		t.Errorf("it took %v", took)
	}
}

// refused creates a client, which must fail with the given kind.
func refused(t *testing.T, what string, kind cliauth.Kind, server cliauth.Server, options ...cliauth.Option) {
	t.Helper()
	client, err := cliauth.New(server, options...)
	if client != nil {
		t.Errorf("a client in spite of a wrong %s", what)
	}
	if message := isError(t, err, kind).Message; message == "" {
		t.Errorf("no message for a wrong %s", what)
	}
}

func TestWrongSettings(t *testing.T) {
	for what, option := range map[string]cliauth.Option{
		"product": cliauth.WithProduct("my cli"), "scope": cliauth.WithScopes("a b"),
		"parameter": cliauth.WithParam("client_id", "x"), "header": cliauth.WithHeader("Host", "x"),
		"CA": cliauth.WithCAPEM([]byte("no certificate")), "empty CA": cliauth.WithCAPEM(nil),
		"proxy": cliauth.WithProxy("ftp://h"), "API base": cliauth.WithAPIBase("http://h"),
		"revocation endpoint":           cliauth.WithRevocationEndpoint("https://h/revoke"),
		"device authorization endpoint": cliauth.WithDeviceAuthorizationEndpoint("https://h/device"),
		"token endpoint":                cliauth.WithTokenEndpoint("https://h/token"),
		"token parameter":               cliauth.WithTokenParam("code_verifier", "x"),
		"refresh parameter":             cliauth.WithRefreshParam("refresh_token", "x"),
		"connect timeout":               cliauth.WithConnectTimeout(0), "long timeout": cliauth.WithRequestTimeout(25 * time.Hour),
	} {
		refused(t, what, cliauth.ErrInvalidConfig, cliauth.AuthKit("client_123"), option)
	}
	for what, server := range map[string]cliauth.Server{
		"client id": cliauth.AuthKit(""), "domain": cliauth.WorkOSConnect("", "c"), "issuer": cliauth.Issuer("no url", "c"),
		"endpoint": cliauth.Endpoints("https://h/d", "ftp://h/t", "c"),
	} {
		refused(t, what, cliauth.ErrInvalidConfig, server)
	}
	for what, option := range map[string]cliauth.Option{
		"device authorization endpoint": cliauth.WithDeviceAuthorizationEndpoint("no url"),
		"token endpoint":                cliauth.WithTokenEndpoint("ftp://h/token"),
		"revocation endpoint":           cliauth.WithRevocationEndpoint("http://h/revoke"),
	} {
		refused(t, what, cliauth.ErrInvalidConfig, cliauth.Issuer("https://h", "c"), option)
	}
}

func TestAWrongTimeoutIsNamed(t *testing.T) {
	for name, with := range map[string]func(time.Duration) cliauth.Option{
		"connect timeout": cliauth.WithConnectTimeout, "read timeout": cliauth.WithReadTimeout,
		"request timeout": cliauth.WithRequestTimeout, "login timeout": cliauth.WithLoginTimeout,
	} {
		for _, wrong := range []time.Duration{0, -1, -time.Hour} {
			_, err := cliauth.New(cliauth.AuthKit("client_123"), with(wrong))
			if message := isError(t, err, cliauth.ErrInvalidConfig).Message; !strings.Contains(message, name) {
				t.Errorf("%s of %v: %s", name, wrong, message)
			}
		}
	}
}

func TestMisuse(t *testing.T) {
	for what, option := range map[string]cliauth.Option{
		"NUL": cliauth.WithProduct("a\x00b"), "no UTF-8": cliauth.WithScopes("a\xff"),
		"NUL in a secret": cliauth.WithClientSecret(cliauth.NewSecret("a\x00b"), cliauth.ClientAuthAuto),
		"NUL in a value":  cliauth.WithHeader("X-A", "a\x00b"), "NUL in a name": cliauth.WithParam("a\x00b", "c"),
		"no UTF-8 in a refresh parameter": cliauth.WithRefreshParam("a", "\xff"),
		"NUL in an endpoint":              cliauth.WithDeviceAuthorizationEndpoint("https://h/\x00"),
	} {
		refused(t, what, cliauth.ErrMisuse, cliauth.AuthKit("client_123"), option)
	}
	refused(t, "client id", cliauth.ErrMisuse, cliauth.AuthKit("a\x00b"))
	refused(t, "server", cliauth.ErrMisuse, cliauth.Server{})
	// The lowest 32 bits of the last two are those of a constant.
	for _, auth := range []cliauth.ClientAuth{-1, 3, 9, math.MaxInt, math.MinInt, math.MinInt + 1} {
		option := cliauth.WithClientSecret(cliauth.NewSecret("s"), auth)
		refused(t, "client authentication", cliauth.ErrMisuse, cliauth.AuthKit("client_123"), option)
	}
	for _, pkce := range []cliauth.PKCE{-1, 3, 9, math.MaxInt, math.MinInt, math.MinInt + 1} {
		refused(t, "PKCE", cliauth.ErrMisuse, cliauth.AuthKit("client_123"), cliauth.WithPKCE(pkce))
	}
}

func TestAfterClose(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, settings{"answer": "approve"})
	client := server.Client(t)
	login, unused := started(t, client), client.Login()
	for range 2 {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
	// The login that was created before stays usable.
	if _, err := login.Poll(t.Context(), nil); err != nil {
		t.Error(err)
	}
	prompt := login.Prompt()
	for range 2 {
		if err := errors.Join(login.Close(), unused.Close()); err != nil {
			t.Error(err)
		}
	}
	if !strings.Contains(prompt.Text(), prompt.UserCode) {
		t.Error("the prompt went with its login")
	}
	orphan := client.Login()
	defer orphan.Close()
	orphan.Cancel()
	for name, call := range map[string]func() error{
		"Login.Start":    func() error { _, err := orphan.Start(t.Context()); return err },
		"Client.Refresh": func() error { _, err := client.Refresh(t.Context(), cliauth.NewSecret("t")); return err },
		"Client.Revoke":  func() error { return client.Revoke(t.Context(), cliauth.NewSecret("t")) },
		"Client.UserInfo": func() error {
			_, err := client.UserInfo(t.Context(), cliauth.NewSecret("t"), "")
			return err
		},
		"Start": func() error { _, err := unused.Start(t.Context()); return err },
		"Poll":  func() error { _, err := login.Poll(t.Context(), nil); return err },
		"Step":  func() error { _, err := login.Step(t.Context(), 0); return err },
	} {
		if err := call(); !errors.Is(err, cliauth.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		} else if message := isError(t, err, cliauth.ErrMisuse).Message; !strings.Contains(message, "after Close") {
			t.Errorf("%s: %s", name, message)
		}
	}
	login.Cancel()
}
