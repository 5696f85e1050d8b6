//go:build !race

package cliauth_test

const raceDetector = false
