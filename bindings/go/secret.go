package cliauth

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
)

// mask is what is shown in place of a secret of any length.
const mask = "****"

// Secret is a text that must not be shown, such as a token or a client secret.
//
// The packages fmt, encoding/json, encoding/gob and log/slog show ****, even if the Secret is part of another value.
// The zero Secret is empty.
//
// Compare secrets with [Secret.Equal], in constant time. The operator == does not compile, neither for a Secret nor for
// a struct that holds one, and a Secret cannot be the key of a map. Interface values that hold a Secret panic when they
// are compared.
//
// The memory of a Secret is overwritten when it is garbage collected. The string that [Secret.Expose] returns is not:
// call Expose late, and do not keep the string.
type Secret struct {
	// A function cannot be compared, so the compiler refuses ==.
	_ [0]func()
	// There are two pointers because fmt cannot call the methods of unexported fields, and follows one pointer for a
	// verb that does not fit.
	kept **[]byte
}

// NewSecret returns a secret that holds a text, such as a refresh token that was read from a keyring.
func NewSecret(text string) Secret { return secretOf([]byte(text)) }

// secretOf makes a secret from bytes that nothing else uses.
func secretOf(bytes []byte) Secret {
	if len(bytes) == 0 {
		return Secret{}
	}
	inner := &bytes
	s := Secret{kept: &inner}
	runtime.AddCleanup(s.kept, func(bytes []byte) { clear(bytes) }, bytes)
	return s
}

// Expose returns the secret in clear text. The caller is responsible for where it goes next.
func (s Secret) Expose() string {
	defer s.keepAlive()
	return string(s.bytes())
}

// IsZero reports whether the secret is empty.
func (s Secret) IsZero() bool { return s.kept == nil }

// Equal reports whether both secrets hold the same text. Its duration depends on their lengths, and not on what they
// hold.
func (s Secret) Equal(other Secret) bool {
	defer s.keepAlive()
	defer other.keepAlive()
	return subtle.ConstantTimeCompare(s.bytes(), other.bytes()) == 1
}

// keepAlive is called after the last use of bytes, which are overwritten once nothing refers to the secret.
func (s Secret) keepAlive() { runtime.KeepAlive(s.kept) }

func (s Secret) bytes() []byte {
	if s.kept == nil {
		return nil
	}
	return **s.kept
}

// String returns ****.
func (s Secret) String() string { return mask }

// GoString returns ****, also for %#v.
func (s Secret) GoString() string { return mask }

// Format writes ****, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// LogValue returns ****.
func (s Secret) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalText returns ****, and so encoding/json writes it. To store a token, call [Secret.Expose].
func (s Secret) MarshalText() ([]byte, error) { return []byte(mask), nil }

// UnmarshalText sets the secret to a text. It refuses ****, which is all that is ever written of a Secret.
func (s *Secret) UnmarshalText(text []byte) error {
	if string(text) == mask {
		return errors.New("cliauth: a masked secret cannot be read back: store what Expose gives")
	}
	*s = NewSecret(string(text))
	return nil
}

// MarshalBinary returns ****, and so encoding/gob writes it.
func (s Secret) MarshalBinary() ([]byte, error) { return s.MarshalText() }

// UnmarshalBinary does the same as [Secret.UnmarshalText].
func (s *Secret) UnmarshalBinary(data []byte) error { return s.UnmarshalText(data) }
