package cliauth

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
)

// mask is what is shown of a secret, whatever its length.
const mask = "****"

// Secret is a text that must not be shown: a token or a client secret.
//
// The fmt package, encoding/json, encoding/gob and log/slog show ****, also where it is part of something else. The zero
// Secret is empty. Compare secrets by [Secret.Equal].
//
// The memory of a Secret is overwritten when it is garbage. The string that [Secret.Expose] gives is not: expose late, and
// do not keep it.
type Secret struct {
	// Behind two pointers: fmt, which cannot call methods of unexported fields, follows one where a verb does not fit.
	kept **[]byte
}

// NewSecret wraps a text, such as a refresh token that was read from a keyring.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return secretOf([]byte(text))
}

// secretOf makes a secret of bytes that nothing else uses.
func secretOf(bytes []byte) Secret {
	inner := &bytes
	s := Secret{&inner}
	runtime.AddCleanup(s.kept, func(bytes []byte) { clear(bytes) }, bytes)
	return s
}

// Expose gives the secret in clear text. Whoever calls this is responsible for where it goes next.
func (s Secret) Expose() string {
	defer s.keepAlive()
	return string(s.bytes())
}

// IsZero reports whether there is nothing in it.
func (s Secret) IsZero() bool { return s.kept == nil }

// Equal reports whether both hold the same text. It takes the same time wherever they differ.
func (s Secret) Equal(other Secret) bool {
	defer s.keepAlive()
	defer other.keepAlive()
	return subtle.ConstantTimeCompare(s.bytes(), other.bytes()) == 1
}

// keepAlive is called after the last use of bytes, which are overwritten once nothing holds the secret.
func (s Secret) keepAlive() { runtime.KeepAlive(s.kept) }

func (s Secret) bytes() []byte {
	if s.kept == nil {
		return nil
	}
	return **s.kept
}

// String gives ****.
func (s Secret) String() string { return mask }

// GoString gives ****, as %#v does.
func (s Secret) GoString() string { return mask }

// Format writes ****, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, mask) }

// LogValue gives ****.
func (s Secret) LogValue() slog.Value { return slog.StringValue(mask) }

// MarshalText gives ****, and so encoding/json does: to store a token, expose it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(mask), nil }

// UnmarshalText takes a text over. It refuses ****, which is all that was ever written of a Secret.
func (s *Secret) UnmarshalText(text []byte) error {
	if string(text) == mask {
		return errors.New("cliauth: a masked secret cannot be read back: store what Expose gives")
	}
	*s = NewSecret(string(text))
	return nil
}

// MarshalBinary gives ****, and so encoding/gob does.
func (s Secret) MarshalBinary() ([]byte, error) { return s.MarshalText() }

// UnmarshalBinary does what [Secret.UnmarshalText] does.
func (s *Secret) UnmarshalBinary(data []byte) error { return s.UnmarshalText(data) }
