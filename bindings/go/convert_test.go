package cliauth

import (
	"math"
	"testing"
	"time"
)

func TestAnArrayIsReadUpToItsNil(t *testing.T) {
	one, two := "one", "two"
	// With the race detector, reading beyond the nil is an error.
	for _, array := range [][]*string{{nil}, {&one, nil}, {&one, &two, nil}} {
		found := untilNil(&array[0])
		if len(found) != len(array)-1 {
			t.Errorf("%d pointers of %d", len(found), len(array)-1)
		}
		for i, pointer := range found {
			if pointer != array[i] {
				t.Error("another pointer")
			}
		}
	}
}

func TestNumbersThatGoCannotHold(t *testing.T) {
	for seconds, expected := range map[float64]time.Duration{
		0: 0, 1.5: 1500 * time.Millisecond, 1e-9: 1, -1: 0, math.Inf(-1): 0,
		9223372036.854775807: math.MaxInt64, 1e300: math.MaxInt64, math.Inf(1): math.MaxInt64,
	} {
		if got := durationOf(seconds); got != expected {
			t.Errorf("%v seconds became %v", seconds, got)
		}
	}
	for seconds, expected := range map[float64]string{
		0: "1970-01-01T00:00:00Z", 1.5: "1970-01-01T00:00:01.5Z", 253402300799.5: "9999-12-31T23:59:59Z",
		-1: "1970-01-01T00:00:00Z", -1e300: "1970-01-01T00:00:00Z", 1e300: "9999-12-31T23:59:59Z",
		// The zero Time.
		-62135596800: "1970-01-01T00:00:00Z",
	} {
		if got := timeOf(seconds).Format(time.RFC3339Nano); got != expected {
			t.Errorf("%v seconds became %s", seconds, got)
		}
	}
	if durationOf(math.NaN()) != 0 || timeOf(math.NaN()).Unix() != 0 {
		t.Error("NaN")
	}
	if got := intOf(uint32(math.MaxUint32)); got != min(math.MaxInt, math.MaxUint32) || intOf(uint32(7)) != 7 {
		t.Error(got)
	}
}
