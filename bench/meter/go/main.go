// Measures cliauth from inside a program, as bench/meter does for Rust. Each measure prints one JSON object on one
// line.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"cliauth"
)

const usage = `usage: meter polls   --url URL --ca-file FILE --logins N --seconds S
       meter cancel  --url URL --ca-file FILE --logins N --after SECONDS
       meter context --url URL --ca-file FILE --logins N --after SECONDS
       meter crowd   --url URL --ca-file FILE --logins N

polls    N logins, polled by one goroutine in turn: processor time of a poll on a kept connection
cancel   N logins, a client and a goroutine each: from Cancel elsewhere to the return of Poll
context  the same with the end of Poll's context
crowd    N logins of one client, a goroutine each, from the start to the token
`

type options struct {
	url, caFile string
	logins      int
	time        time.Duration
}

func main() {
	measures := map[string]func(*options) (any, error){
		"polls":   measurePolls,
		"cancel":  measureCancel,
		"context": measureContext,
		"crowd":   measureCrowd,
	}
	flag.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	if len(os.Args) < 2 || measures[os.Args[1]] == nil {
		flag.Usage()
		os.Exit(2)
	}
	var o options
	var seconds float64
	flag.StringVar(&o.url, "url", "", "")
	flag.StringVar(&o.caFile, "ca-file", "", "")
	flag.IntVar(&o.logins, "logins", 1, "")
	flag.Float64Var(&seconds, "seconds", 0, "")
	flag.Float64Var(&seconds, "after", 0, "")
	// Parse exits the program on an error.
	_ = flag.CommandLine.Parse(os.Args[2:])
	o.time = time.Duration(seconds * float64(time.Second))

	found, err := measures[os.Args[1]](&o)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(found)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "meter:", err)
		os.Exit(1)
	}
}

// client returns a client of the measured server, with explicit endpoints so that no discovery is needed.
func (o *options) client() (*cliauth.Client, error) {
	pem, err := os.ReadFile(o.caFile)
	if err != nil {
		return nil, err
	}
	return cliauth.New(cliauth.Endpoints(
		o.url+"/oauth2/device_authorization", o.url+"/oauth2/token", "bench"), cliauth.WithCAPEM(pem))
}
