// Package peer implements what the benchmark requires of every other client.
package peer

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Login runs a login at the server with the issuer url. It calls show with the user code and returns when it has the
// token.
type Login func(client *http.Client, url string, show func(userCode string)) error

// Run executes the command line: `URL CA_FILE` for one login, `crowd URL CA_FILE LOGINS` for many simultaneous logins.
func Run(login Login) {
	words := os.Args[1:]
	var err error
	switch {
	case len(words) == 2:
		err = one(login, words[0], words[1])
	case len(words) == 4 && words[0] == "crowd":
		err = crowd(login, words[1], words[2], words[3])
	default:
		err = fmt.Errorf("usage: %[1]s URL CA_FILE\n       %[1]s crowd URL CA_FILE LOGINS", os.Args[0])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func one(login Login, url, caFile string) error {
	roots, err := transport(caFile)
	if err != nil {
		return err
	}
	var before time.Duration
	err = login(&http.Client{Transport: roots}, url, func(userCode string) {
		fmt.Println(userCode)
		before = cpu()
	})
	if err != nil {
		return err
	}
	fmt.Println("token")
	fmt.Println("cpu_us", (cpu() - before).Microseconds())
	return nil
}

// crowd runs one goroutine per login. All share what a program usually has only one of.
func crowd(login Login, url, caFile, number string) error {
	logins, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	shared, err := transport(caFile)
	if err != nil {
		return err
	}
	var (
		mu   sync.Mutex
		done int
		gaps []float64
		all  sync.WaitGroup
	)
	began := time.Now()
	for range logins {
		all.Go(func() {
			answers := &answers{transport: shared}
			if login(&http.Client{Transport: answers}, url, func(string) {}) != nil {
				return
			}
			mu.Lock()
			defer mu.Unlock()
			done++
			gaps = append(gaps, answers.gaps...)
		})
	}
	all.Wait()
	found := map[string]any{
		"done":     done,
		"wall_s":   time.Since(began).Seconds(),
		"cpu_s":    cpu().Seconds(),
		"peak_kib": peakKiB(),
	}
	if len(gaps) > 0 {
		slices.Sort(gaps)
		found["gap_p99_s"] = gaps[len(gaps)*99/100]
	}
	return json.NewEncoder(os.Stdout).Encode(found)
}

// transport returns net/http's default transport with the system's roots and an additional one.
func transport(caFile string) (*http.Transport, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, err
	}
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, err
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("no certificate in %s", caFile)
	}
	own := http.DefaultTransport.(*http.Transport).Clone()
	own.TLSClientConfig = &tls.Config{RootCAs: roots}
	return own, nil
}

// answers records the seconds from each response of a login to the next.
type answers struct {
	transport http.RoundTripper
	last      time.Time
	gaps      []float64
}

func (a *answers) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := a.transport.RoundTrip(request)
	now := time.Now()
	if !a.last.IsZero() {
		a.gaps = append(a.gaps, now.Sub(a.last).Seconds())
	}
	a.last = now
	return response, err
}

// cpu returns the processor time of this process.
func cpu() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// peakKiB returns the peak resident memory, if /proc is available.
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
