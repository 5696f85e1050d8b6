package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cpu is the time that this process has spent on processors.
func cpu() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// peakKiB is the most memory that was ever resident, where /proc tells. (The peak of getrusage is no less than that of the
// process that started this one.)
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

// sockets are those that are open.
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
