package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cpu returns the processor time of this process.
func cpu() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// peakKiB returns the peak resident memory, if /proc is available. (The peak of getrusage is at least that of the
// parent process.)
func peakKiB() any {
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		if value, found := strings.CutPrefix(line, "VmHWM:"); found {
			if kib, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(value), " kB")); err == nil {
				return kib
			}
		}
	}
	return nil
}

// sockets returns the number of open sockets.
func sockets() int {
	number := 0
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, entry := range entries {
		target, err := os.Readlink("/proc/self/fd/" + entry.Name())
		if err == nil && strings.HasPrefix(target, "socket:") {
			number++
		}
	}
	return number
}

func threads() int {
	entries, _ := os.ReadDir("/proc/self/task")
	return len(entries)
}
