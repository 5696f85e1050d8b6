// Package authserver drives the project's test authorization server, for the tests of this module and those beside it.
package authserver

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"cliauth"
)

// Settings are the members of a virtual server, as POST /control/servers takes them.
type Settings map[string]any

// control is the process's own address, once it runs. It must not go through a proxy.
var (
	control string
	direct  = &http.Client{Timeout: 70 * time.Second, Transport: &http.Transport{}}
)

// Main runs the tests of a package with the server beside them, and ends the process.
func Main(m *testing.M) {
	os.Exit(func() int {
		program := os.Getenv("CLI_AUTH_AUTHSERVER")
		if program == "" {
			fmt.Fprintln(os.Stderr, "CLI_AUTH_AUTHSERVER must name the authserver program: cargo build -p authserver")
			return 3
		}
		server := exec.Command(program, "--listen", "127.0.0.1:0", "--control", "--exit-on-eof")
		server.Stderr = os.Stderr
		stdin, err := server.StdinPipe()
		must(err)
		stdout, err := server.StdoutPipe()
		must(err)
		must(server.Start())
		ready, err := bufio.NewReader(stdout).ReadString('\n')
		must(err)
		control = strings.TrimSpace(strings.TrimPrefix(ready, "READY "))
		status := m.Run()
		must(stdin.Close())
		must(server.Wait())
		return status
	}())
}

// must is for what only a broken machine gets wrong.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// Server is a virtual server.
type Server struct {
	URL    string `json:"url"`
	Issuer string `json:"issuer"`
	CAPEM  string `json:"ca_pem"`
	ID     string `json:"id"`
}

// Request is what the log says of one.
type Request struct {
	Endpoint string      `json:"endpoint"`
	Headers  [][2]string `json:"headers"`
	Form     [][2]string `json:"form"`
	Arrived  float64     `json:"arrived"`
	Gone     *float64    `json:"gone"`
	Status   *int        `json:"status"`
	Error    string      `json:"error"`
	Broken   []string    `json:"violations"`
}

// Header is the value of a header, or "".
func (r Request) Header(name string) string {
	for _, header := range r.Headers {
		if strings.EqualFold(header[0], name) {
			return header[1]
		}
	}
	return ""
}

// Fields are the values of a field of the form.
func (r Request) Fields(name string) (values []string) {
	for _, field := range r.Form {
		if field[0] == name {
			values = append(values, field[1])
		}
	}
	return values
}

// New makes a server, with an interval of 1 s unless told otherwise, for as long as the test runs.
func New(t testing.TB, settings Settings) *Server {
	t.Helper()
	s := Make(settings)
	t.Cleanup(s.Delete)
	return s
}

// Make makes a server for code that is no test.
func Make(settings Settings) *Server {
	with := Settings{"interval": 1}
	for name, value := range settings {
		with[name] = value
	}
	s := &Server{}
	call("POST", "servers", with, s)
	return s
}

// Silent makes a server that never answers at one endpoint.
func Silent(t testing.TB, endpoint string) *Server {
	t.Helper()
	hang := Settings{"steps": []Settings{{"hang": "before"}}, "then": "repeat"}
	return New(t, Settings{"script": Settings{endpoint: hang}})
}

// Scripted makes a server that answers so at one endpoint.
func Scripted(t testing.TB, endpoint string, steps ...any) *Server {
	t.Helper()
	return New(t, Settings{"script": Settings{endpoint: steps}})
}

// Options let a client trust this server.
func (s *Server) Options(more ...cliauth.Option) []cliauth.Option {
	options := []cliauth.Option{cliauth.AllowInsecureLoopback(true)}
	if s.CAPEM != "" {
		options = append(options, cliauth.WithCAPEM([]byte(s.CAPEM)))
	}
	return append(options, more...)
}

// Client is one of this server as AuthKit.
func (s *Server) Client(t testing.TB, more ...cliauth.Option) *cliauth.Client {
	t.Helper()
	client, err := cliauth.New(cliauth.AuthKit("client_test"), s.Options(append(more, cliauth.WithAPIBase(s.URL))...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// ClientByIssuer is a client of this server by its metadata: it knows scopes and revocation.
func (s *Server) ClientByIssuer(t testing.TB, more ...cliauth.Option) *cliauth.Client {
	t.Helper()
	client, err := cliauth.New(cliauth.Issuer(s.Issuer, "client_test"), s.Options(more...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// Answer decides for the newest code.
func (s *Server) Answer(decision Settings) { s.call("POST", "/answer", decision, nil) }

// Script is played from its beginning.
func (s *Server) Script(script Settings) { s.call("PUT", "/script", script, nil) }

// Listening is whether connections are taken.
func (s *Server) Listening(listening bool) {
	s.call("PUT", "/listening", Settings{"listening": listening}, nil)
}

// Delete ends it.
func (s *Server) Delete() { s.call("DELETE", "", nil, nil) }

// Requests are those that came to an endpoint so far.
func (s *Server) Requests(endpoint string) []Request { return s.log("", endpoint) }

// WaitFor waits until so many requests have come to an endpoint.
func (s *Server) WaitFor(t testing.TB, endpoint string, count int) {
	t.Helper()
	found := s.log(fmt.Sprintf("?endpoint=%s&count=%d&timeout=20", endpoint, count), endpoint)
	if len(found) < count {
		t.Fatalf("only %d requests came to %s", len(found), endpoint)
	}
}

func (s *Server) log(query, endpoint string) (found []Request) {
	var log struct{ Requests []Request }
	s.call("GET", "/log"+query, nil, &log)
	for _, request := range log.Requests {
		if request.Endpoint == endpoint {
			found = append(found, request)
		}
	}
	return found
}

func (s *Server) call(method, path string, body, into any) {
	call(method, "servers/"+s.ID+path, body, into)
}

func call(method, path string, body, into any) {
	encoded, err := json.Marshal(body)
	must(err)
	request, err := http.NewRequest(method, control+"/control/"+path, bytes.NewReader(encoded))
	must(err)
	request.Header.Set("Content-Type", "application/json")
	response, err := direct.Do(request)
	must(err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	must(err)
	if response.StatusCode >= 300 {
		panic(fmt.Sprintf("%s %s: %s", method, path, answer))
	}
	if into != nil {
		must(json.Unmarshal(answer, into))
	}
}
