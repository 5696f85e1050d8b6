package cliauth

import (
	"math"
	"time"
	"unsafe"
)

// This file converts what the C library returns. It needs no cgo, so that it can be tested for every size of an int.

// untilNil returns the pointers of an array that ends with nil.
func untilNil[T any](array **T) []*T {
	pointers := []*T{}
	for *array != nil {
		pointers = append(pointers, *array)
		array = (**T)(unsafe.Add(unsafe.Pointer(array), unsafe.Sizeof(*array)))
	}
	return pointers
}

// intOf converts a count. A higher count than an int can hold becomes the highest int.
func intOf[T ~uint32](count T) int { return int(min(uint64(count), math.MaxInt)) }

// durationOf converts seconds to a Duration. A longer time than a Duration can hold becomes the longest Duration, and a
// negative time becomes 0.
func durationOf[T ~float64](seconds T) time.Duration {
	nanoseconds := math.Round(float64(seconds) * 1e9)
	switch {
	case nanoseconds >= math.MaxInt64:
		return math.MaxInt64
	case nanoseconds > 0:
		return time.Duration(nanoseconds)
	}
	return 0
}

// latest is the last second that time.Time can write in RFC 3339, and so in JSON.
var latest = time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)

// timeOf converts seconds since 1970 to a Time between 1970 and latest. The result is never the zero Time, which means
// that a time is unknown.
func timeOf[T ~float64](sinceEpoch T) time.Time {
	switch seconds := float64(sinceEpoch); {
	case seconds >= float64(latest.Unix()):
		return latest
	case seconds > 0:
		whole, rest := math.Modf(seconds)
		return time.Unix(int64(whole), int64(rest*1e9)).UTC()
	}
	return time.Unix(0, 0).UTC()
}
