package cliauth_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"cliauth"
)

const hidden = "hunter2-hunter2"

// holder has a secret in every place where a program may have one.
type holder struct {
	Public  cliauth.Secret
	private cliauth.Secret
	Pointer *cliauth.Secret
	List    []cliauth.Secret
	Map     map[string]cliauth.Secret
	Any     any
	Tokens  cliauth.Tokens
	Error   *cliauth.Error
}

func newHolder() holder {
	secret := cliauth.NewSecret(hidden)
	return holder{
		secret, secret, &secret, []cliauth.Secret{secret}, map[string]cliauth.Secret{"a": secret}, secret,
		cliauth.Tokens{
			AccessToken: secret, RefreshToken: secret, IDToken: secret, Identity: &cliauth.Identity{Subject: "user_1"},
			Other: map[string]cliauth.Secret{"b": secret},
		},
		&cliauth.Error{
			Kind: cliauth.ErrActionRequired, Message: "choose", PendingAuthenticationToken: secret,
			Members: map[string]cliauth.Secret{"c": secret},
		},
	}
}

type withToken struct{ Token cliauth.Secret }

// leaks reports whether a text contains the secret in any form that fmt has for it.
func leaks(text string) bool {
	for _, form := range []string{"%s", "%x", "% x", "%X", "%q", "%d", "%v", "%b", "%o"} {
		if strings.Contains(text, fmt.Sprintf(form, hidden)) || strings.Contains(text, fmt.Sprintf(form, []byte(hidden))) {
			return true
		}
	}
	return false
}

func TestLeaksAreFound(t *testing.T) {
	for _, text := range []string{
		hidden, fmt.Sprintf("%x", hidden), fmt.Sprint([]byte(hidden)), fmt.Sprintf("%#v", struct{ s string }{hidden}),
	} {
		if !leaks(text) {
			t.Errorf("not found in %s", text)
		}
	}
}

func TestNoVerbShowsASecret(t *testing.T) {
	h := newHolder()
	error := fmt.Errorf("wrapped: %w", h.Error)
	for _, verb := range strings.Fields("v +v #v s q x X d p T b o O e E f F g G t w 20s -20v c U") {
		for name, value := range map[string]any{
			"secret": h.Public, "pointer": h.Pointer, "holder": h, "holder's pointer": &h, "tokens": h.Tokens,
			"tokens' pointer": &h.Tokens, "error": h.Error, "error's value": *h.Error, "wrapped": error, "list": h.List,
		} {
			if text := fmt.Sprintf("%"+verb, value); leaks(text) {
				t.Errorf("%%%s of the %s shows it: %s", verb, name, text)
			}
		}
	}
	text := fmt.Sprintf("%[1]v %+[1]v %#[1]v %[1]s %[1]q %[1]x %[1]d", h.Public)
	if text != "**** **** **** **** **** **** ****" {
		t.Error(text)
	}
	if h.Public.String() != "****" || h.Public.GoString() != "****" {
		t.Error("String or GoString")
	}
}

func TestNoEncoderShowsASecret(t *testing.T) {
	h := newHolder()
	encoders := map[string]func(value any) (string, error){
		"json": func(value any) (string, error) {
			encoded, err := json.Marshal(value)
			return string(encoded), err
		},
		"gob": func(value any) (string, error) {
			var encoded bytes.Buffer
			err := gob.NewEncoder(&encoded).Encode(value)
			return encoded.String(), err
		},
		"xml": func(value any) (string, error) {
			encoded, err := xml.Marshal(value)
			return string(encoded), err
		},
		"slog text": func(value any) (string, error) {
			var encoded bytes.Buffer
			slog.New(slog.NewTextHandler(&encoded, nil)).Info("it", "value", value)
			return encoded.String(), nil
		},
		"slog json": func(value any) (string, error) {
			var encoded bytes.Buffer
			slog.New(slog.NewJSONHandler(&encoded, nil)).Info("it", "value", value)
			return encoded.String(), nil
		},
	}
	for name, encode := range encoders {
		for what, value := range map[string]any{"secret": h.Public, "struct": withToken{h.Public}} {
			text, err := encode(value)
			if err != nil || leaks(text) || !strings.Contains(text, "****") {
				t.Errorf("%s of a %s: %q, %v", name, what, text, err)
			}
		}
	}
	for _, name := range []string{"json", "slog text", "slog json"} {
		for _, value := range []any{h.Tokens, &h.Tokens, h.Error, h.List, h.Map} {
			if text, err := encoders[name](value); err != nil || leaks(text) {
				t.Errorf("%s of %T: %q, %v", name, value, text, err)
			}
		}
	}
}

func TestAMaskedSecretIsNotTakenForOne(t *testing.T) {
	var read withToken
	if err := json.Unmarshal([]byte(`{"Token":"****"}`), &read); err == nil {
		t.Error("**** became a secret")
	}
	var encoded bytes.Buffer
	if err := gob.NewEncoder(&encoded).Encode(withToken{cliauth.NewSecret(hidden)}); err != nil {
		t.Fatal(err)
	}
	if err := gob.NewDecoder(&encoded).Decode(&read); err == nil {
		t.Error("**** became a secret")
	}
	if err := json.Unmarshal([]byte(`{"Token":"abc"}`), &read); err != nil || read.Token.Expose() != "abc" {
		t.Error(err, read.Token.Expose())
	}
}

func TestSecretsAreComparedByTheirTexts(t *testing.T) {
	one, same, other := cliauth.NewSecret("one"), cliauth.NewSecret("one"), cliauth.NewSecret("other")
	if !one.Equal(same) || one.Equal(other) || one.Equal(cliauth.Secret{}) {
		t.Error("Equal")
	}
	empty := cliauth.NewSecret("")
	if !empty.IsZero() || !empty.Equal(cliauth.Secret{}) || empty.Expose() != "" || one.IsZero() {
		t.Error("the empty one")
	}
}

func TestSecretsCannotBeComparedByAccident(t *testing.T) {
	for _, secret := range []any{cliauth.Secret{}, withToken{}, cliauth.Tokens{}, cliauth.Error{}} {
		if kind := reflect.TypeOf(secret); kind.Comparable() {
			t.Errorf("== compiles for %v", kind)
		}
	}
}

func TestASecretLivesAsLongAsItIsUsed(t *testing.T) {
	secret := cliauth.NewSecret(hidden)
	collected(t, "garbage", func() bool { return secret.Expose() == hidden })
	if copied := secret; copied.Expose() != hidden {
		t.Error("a copy")
	}
}

func TestKindsAreErrors(t *testing.T) {
	err := fmt.Errorf("cannot log in: %w", &cliauth.Error{Kind: cliauth.ErrDenied, Message: "no"})
	if !errors.Is(err, cliauth.ErrDenied) || errors.Is(err, cliauth.ErrExpired) {
		t.Error("errors.Is")
	}
	if err.Error() != "cannot log in: no" || cliauth.ErrDenied.Error() != "denied" {
		t.Error(err)
	}
}

func TestSanitize(t *testing.T) {
	for text, clean := range map[string]string{
		"plain": "plain", "": "", "a\x1b[2Jb": "a\uFFFD[2Jb", "a\x00b": "a\uFFFDb", "a\xffb": "a\uFFFDb", "ü": "ü",
	} {
		if got := cliauth.Sanitize(text); got != clean {
			t.Errorf("%q became %q", text, got)
		}
	}
}
