package cliauth_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"cliauth"
	"cliauth/internal/authserver"
)

// allScopes are the scopes for which the server names the user.
var allScopes = cliauth.WithScopes("openid", "email", "profile", "offline_access")

// loggedIn returns the tokens of a login.
func loggedIn(t *testing.T, client *cliauth.Client) *cliauth.Tokens {
	t.Helper()
	tokens, err := started(t, client).Poll(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func isAda(t *testing.T, user *cliauth.Identity) {
	t.Helper()
	if user == nil {
		t.Fatal("no identity")
	}
	if !strings.HasPrefix(user.Subject, "user_") || user.Email != "ada@example.test" || user.Name != "Ada Example" ||
		user.EmailVerified == nil || !*user.EmailVerified {
		t.Errorf("%q %q %q %v", user.Subject, user.Email, user.Name, user.EmailVerified)
	}
}

func TestTheIdentityOfAuthKit(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, settings{
		"answer":        settings{"decision": "approve", "organization_id": "org_1"},
		"organizations": []settings{{"id": "org_1", "name": "One"}},
	})
	user := loggedIn(t, server.Client(t)).Identity
	isAda(t, user)
	if user.OrganizationID != "org_1" || string(user.Claims["id"]) != fmt.Sprintf("%q", user.Subject) {
		t.Errorf("%q %s", user.OrganizationID, user.Claims["id"])
	}
}

func TestTheIdentityOfOpenIDConnect(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, settings{"answer": "approve"})
	connect, err := cliauth.New(cliauth.WorkOSConnect(server.URL, "client_test"), server.Options(allScopes)...)
	if err != nil {
		t.Fatal(err)
	}
	defer connect.Close()
	for name, client := range map[string]*cliauth.Client{
		"issuer": server.ClientByIssuer(t, allScopes), "connect": connect,
	} {
		user := loggedIn(t, client).Identity
		isAda(t, user)
		var audience string
		if err := json.Unmarshal(user.Claims["aud"], &audience); err != nil || audience != "client_test" {
			t.Errorf("%s: %s", name, user.Claims["aud"])
		}
		if user.OrganizationID != "" {
			t.Errorf("%s: %q", name, user.OrganizationID)
		}
	}
}

func TestWhatTheUserIsNotAskedFor(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, settings{"answer": "approve"})
	user := loggedIn(t, server.ClientByIssuer(t, cliauth.WithScopes("openid"))).Identity
	if user == nil || user.Subject == "" || user.Email != "" || user.Name != "" || user.EmailVerified != nil {
		t.Errorf("%v", user)
	}
}

func TestAnAddressThatIsNotVerified(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, settings{
		"answer": "approve", "id_token": settings{"claims": settings{"email_verified": false}},
	})
	user := loggedIn(t, server.ClientByIssuer(t, allScopes)).Identity
	if user == nil || user.EmailVerified == nil || *user.EmailVerified {
		t.Errorf("%v", user)
	}
}

func TestAnIDTokenThatIsNotVerified(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, settings{"answer": "approve"})
	for _, verify := range []bool{true, false} {
		tokens := loggedIn(t, server.ClientByIssuer(t, allScopes, cliauth.WithVerifyIDToken(verify)))
		if tokens.IDToken.IsZero() || (tokens.Identity != nil) != verify {
			t.Errorf("%v: %+v", verify, tokens)
		}
	}
	if found := server.Requests("jwks"); len(found) != 1 {
		t.Errorf("the keys were fetched %d times", len(found))
	}
}

func TestARefusedIDTokenEndsTheLogin(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, settings{"answer": "approve", "id_token": settings{"signature": "bad"}})
	_, err := started(t, server.ClientByIssuer(t, allScopes)).Poll(t.Context(), nil)
	isError(t, err, cliauth.ErrInvalidResponse)
}

func TestALoginWithoutKeysSaysSo(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, settings{"answer": "approve", "script": settings{
		"jwks": settings{"steps": []settings{{"status": 503}}, "then": "repeat"},
	}})
	var events []cliauth.Event
	tokens, err := started(t, server.ClientByIssuer(t, allScopes)).Poll(t.Context(), func(event cliauth.Event) {
		events = append(events, event)
	})
	if err != nil {
		t.Fatal(err)
	}
	if tokens.Identity != nil || tokens.IDToken.IsZero() || len(events) != 1 {
		t.Fatalf("%+v %#v", tokens, events)
	}
	event, ok := events[0].(cliauth.IdentityUnverified)
	if !ok || !strings.Contains(event.Message, "HTTP 503") {
		t.Errorf("%#v", events[0])
	}
}

func TestEndpointsThatTheMetadataLacks(t *testing.T) {
	t.Parallel()
	lacking := settings{"then": "repeat", "steps": []settings{{"real": true, "remove": []string{
		"device_authorization_endpoint", "token_endpoint", "revocation_endpoint",
	}}}}
	server := authserver.New(t, settings{
		"answer": "approve", "script": settings{"discovery_oauth": lacking, "discovery_oidc": lacking},
	})
	at := func(path string) string { return server.URL + "/oauth2/" + path }
	client := server.ClientByIssuer(t, allScopes,
		cliauth.WithDeviceAuthorizationEndpoint(at("device_authorization")), cliauth.WithTokenEndpoint(at("token")),
		cliauth.WithRevocationEndpoint(at("revoke")))
	tokens := loggedIn(t, client)
	isAda(t, tokens.Identity)
	if err := client.Revoke(t.Context(), tokens.RefreshToken); err != nil {
		t.Error(err)
	}
	if found := server.Requests("revoke"); len(found) != 1 {
		t.Errorf("%d revocations", len(found))
	}
}

func TestUserInfo(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, settings{"answer": "approve"})
	client := server.ClientByIssuer(t, allScopes)
	tokens := loggedIn(t, client)
	for _, subject := range []string{tokens.Identity.Subject, ""} {
		user, err := client.UserInfo(t.Context(), tokens.AccessToken, subject)
		if err != nil {
			t.Fatal(err)
		}
		isAda(t, user)
		if user.Subject != tokens.Identity.Subject || string(user.Claims["sub"]) != fmt.Sprintf("%q", user.Subject) {
			t.Errorf("%v %s", user, user.Claims["sub"])
		}
	}
	user, err := client.UserInfo(t.Context(), tokens.AccessToken, "user_other")
	if isError(t, err, cliauth.ErrInvalidResponse); user != nil {
		t.Error(user)
	}
	_, err = client.UserInfo(t.Context(), cliauth.NewSecret("never-seen"), "")
	if found := isError(t, err, cliauth.ErrRejected); found.HTTPStatus != 401 {
		t.Errorf("%+v", found)
	}
	if found := server.Requests("userinfo"); len(found) != 4 ||
		found[0].Header("Authorization") != "Bearer "+tokens.AccessToken.Expose() {
		t.Errorf("%d requests", len(found))
	}
}

func TestUserInfoThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, nil)
	_, err := server.Client(t).UserInfo(t.Context(), cliauth.NewSecret("token"), "")
	isError(t, err, cliauth.ErrUnsupported)
	client := server.ClientByIssuer(t)
	for _, test := range []struct {
		token, subject string
		kind           cliauth.Kind
	}{
		{"", "", cliauth.ErrInvalidConfig},
		{"two\r\nlines", "", cliauth.ErrInvalidConfig},
		{"a\x00b", "", cliauth.ErrMisuse},
		{"token", "a\x00b", cliauth.ErrMisuse},
		{"token", "a\xffb", cliauth.ErrMisuse},
	} {
		user, err := client.UserInfo(t.Context(), cliauth.NewSecret(test.token), test.subject)
		if isError(t, err, test.kind); user != nil {
			t.Errorf("%q %q", test.token, test.subject)
		}
	}
	if count := len(server.Connections()); count != 0 {
		t.Errorf("%d connections", count)
	}
}

func TestWhatARefreshAsksFor(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, settings{"answer": "approve"})
	client := server.ClientByIssuer(t, allScopes,
		cliauth.WithRefreshParam("resource", "https://a"), cliauth.WithRefreshParam("resource", "https://b"),
		cliauth.WithRefreshParam("audience", "one"))
	tokens := loggedIn(t, client)
	subject := tokens.Identity.Subject
	for _, options := range [][]cliauth.RefreshOption{
		{
			cliauth.RefreshScopes("openid"), nil, cliauth.RefreshScopes("email", "offline_access"),
			cliauth.RefreshParam("resource", "https://c"), cliauth.RefreshParam("resource", "https://ü"),
			cliauth.RefreshParam("organization_id", "org_1"), cliauth.RefreshSubject(subject),
		},
		{cliauth.RefreshSubject("")},
	} {
		refreshed, err := client.Refresh(t.Context(), tokens.RefreshToken, options...)
		if err != nil {
			t.Fatal(err)
		}
		if refreshed.Identity == nil || refreshed.Identity.Subject != subject {
			t.Errorf("%v", refreshed.Identity)
		}
		tokens = refreshed
	}
	refreshed, err := client.Refresh(t.Context(), tokens.RefreshToken, cliauth.RefreshSubject("user_other"))
	if isError(t, err, cliauth.ErrInvalidResponse); refreshed != nil {
		t.Error("the tokens of another user")
	}
	ofClient := map[string][]string{"resource": {"https://a", "https://b"}, "audience": {"one"}}
	for i, expected := range []map[string][]string{
		{
			"scope": {"openid email offline_access"}, "resource": {"https://c", "https://ü"}, "audience": {"one"},
			"organization_id": {"org_1"},
		},
		ofClient, ofClient,
	} {
		sent := server.Requests("refresh")[i]
		for _, field := range []string{"scope", "resource", "audience", "organization_id"} {
			if !reflect.DeepEqual(sent.Fields(field), expected[field]) {
				t.Errorf("refresh %d, %s: %q", i, field, sent.Fields(field))
			}
		}
	}
	for _, endpoint := range []string{"device", "token"} {
		if sent := server.Requests(endpoint)[0]; sent.Fields("audience") != nil || sent.Fields("resource") != nil {
			t.Errorf("%s has what a refresh asks for", endpoint)
		}
	}
}

func TestOptionsOfARefreshThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	server := authserver.New(t, nil)
	client := server.ClientByIssuer(t)
	type options = []cliauth.RefreshOption
	for name, test := range map[string]struct {
		kind    cliauth.Kind
		options options
	}{
		"no scope":         {cliauth.ErrInvalidConfig, options{cliauth.RefreshScopes("two words")}},
		"reserved name":    {cliauth.ErrInvalidConfig, options{cliauth.RefreshParam("scope", "x")}},
		"no value":         {cliauth.ErrInvalidConfig, options{cliauth.RefreshParam("audience", "")}},
		"twice":            {cliauth.ErrInvalidConfig, options{cliauth.RefreshParam("a", "b"), cliauth.RefreshParam("a", "c")}},
		"NUL in a scope":   {cliauth.ErrMisuse, options{cliauth.RefreshScopes("a", "a\x00b")}},
		"NUL in a name":    {cliauth.ErrMisuse, options{cliauth.RefreshParam("a\x00b", "c")}},
		"no UTF-8":         {cliauth.ErrMisuse, options{cliauth.RefreshParam("a", "\xff")}},
		"NUL in a subject": {cliauth.ErrMisuse, options{cliauth.RefreshSubject("a\x00b")}},
		"the first counts": {cliauth.ErrMisuse, options{cliauth.RefreshSubject("\xff"), cliauth.RefreshScopes("a b")}},
	} {
		tokens, err := client.Refresh(t.Context(), cliauth.NewSecret("token-1234"), test.options...)
		if tokens != nil {
			t.Errorf("%s: tokens", name)
		}
		if found := isError(t, err); found.Kind != test.kind || found.Message == "" {
			t.Errorf("%s: %+v", name, found)
		}
	}
	if count := len(server.Connections()); count != 0 {
		t.Errorf("%d connections", count)
	}
}

func TestAnIdentityShowsItsSubjectOnly(t *testing.T) {
	t.Parallel()
	user := cliauth.Identity{
		Subject: "user_1\x1b", Email: hidden, Name: hidden, OrganizationID: hidden,
		Claims: map[string]json.RawMessage{"email": json.RawMessage(`"` + hidden + `"`)},
	}
	tokens := cliauth.Tokens{Identity: &user}
	const shown = `cliauth.Identity{Subject:"user_1\x1b"}`
	for _, verb := range strings.Fields("%v %+v %#v %s %q %x %d %20v") {
		for _, value := range []any{user, &user} {
			if text := fmt.Sprintf(verb, value); text != shown {
				t.Errorf("%s: %s", verb, text)
			}
		}
		for _, value := range []any{tokens, &tokens, []any{user}, map[string]cliauth.Identity{"a": user}} {
			if text := fmt.Sprintf(verb, value); leaks(text) || !strings.Contains(text, shown) {
				t.Errorf("%s of %T: %s", verb, value, text)
			}
		}
	}
	for _, value := range []any{user, &user, tokens, &tokens} {
		var logged strings.Builder
		slog.New(slog.NewTextHandler(&logged, nil)).Info("it", "value", value)
		slog.New(slog.NewJSONHandler(&logged, nil)).Info("it", "value", value)
		encoded, err := json.Marshal(value)
		if text := logged.String() + string(encoded); err != nil || leaks(text) || strings.Count(text, "user_1") != 3 {
			t.Errorf("%T: %s, %v", value, text, err)
		}
	}
	var nobody *cliauth.Identity
	if text := fmt.Sprintf("%v", nobody); text != "<nil>" {
		t.Error(text)
	}
	if encoded, err := json.Marshal(cliauth.Tokens{}); err != nil || !strings.Contains(string(encoded), `"Identity":null`) {
		t.Errorf("%s, %v", encoded, err)
	}
}
