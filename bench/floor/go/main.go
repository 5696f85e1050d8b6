// The floor in Go: only cgo and the static library of the floor.
//
//	usage: floor https://HOST:PORT CA_FILE [POLLS [SECONDS_BETWEEN_POLLS]]
package main

/*
#cgo LDFLAGS: -l:libfloor.a -lm -ldl -lpthread
#include <stdlib.h>
const char *floor_step(const char *words);
*/
import "C"

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

const usage = "usage: floor https://HOST:PORT CA_FILE [POLLS [SECONDS_BETWEEN_POLLS]]"

func main() {
	if len(os.Args) < 3 {
		fail(usage)
	}
	polls, pause := 0, 0.0
	var err error
	if len(os.Args) > 3 {
		polls, err = strconv.Atoi(os.Args[3])
	}
	if len(os.Args) > 4 && err == nil {
		pause, err = strconv.ParseFloat(os.Args[4], 64)
	}
	if err != nil {
		fail(usage)
	}

	fmt.Println(step(os.Args[1] + " " + os.Args[2]))
	before, done := cpuMicroseconds(), 0
	for done < polls {
		time.Sleep(time.Duration(pause * float64(time.Second)))
		done++
		if step("") == "token" {
			fmt.Println("token")
			break
		}
	}
	fmt.Println("polls", done, "cpu_us", cpuMicroseconds()-before)
}

// step starts the login, and polls from then on.
func step(words string) string {
	text := C.CString(words)
	defer C.free(unsafe.Pointer(text))
	said := C.floor_step(text)
	if said == nil {
		fail("the exchange failed")
	}
	return C.GoString(said)
}

// cpuMicroseconds returns the processor time of this process.
func cpuMicroseconds() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fail(err.Error())
	}
	return (usage.Utime.Nano() + usage.Stime.Nano()) / 1000
}

func fail(why string) {
	fmt.Fprintln(os.Stderr, why)
	os.Exit(1)
}
