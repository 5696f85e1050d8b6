// Package authserver drives the project's test authorization server, for the tests of this module and of its
// sub-modules.
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

// Settings are the members of a virtual server, as POST /control/servers accepts them.
type Settings map[string]any

// control is the address of the server process, once it runs. Requests to it must not go through a proxy.
var (
	control string
	direct  = &http.Client{Timeout: 70 * time.Second, Transport: &http.Transport{}}
)

// Main runs the tests of a package with the server beside them, and then exits the process.
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

// must is for errors that only a broken machine causes.
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

// Request is a request as the server's log shows it.
type Request struct {
	Endpoint string      `json:"endpoint"`
	Headers  [][2]string `json:"headers"`
	Form     [][2]string `json:"form"`
	Arrived  float64     `json:"arrived"`
	Replied  *float64    `json:"replied"`
	Gone     *float64    `json:"gone"`
	Status   *int        `json:"status"`
	Error    string      `json:"error"`
	Broken   []string    `json:"violations"`
}

// Connection is a connection as the server's log shows it.
type Connection struct {
	Closed *float64 `json:"closed"`
}

// Header returns the value of a header, or "" if there is none.
func (r Request) Header(name string) string {
	for _, header := range r.Headers {
		if strings.EqualFold(header[0], name) {
			return header[1]
		}
	}
	return ""
}

// Fields returns the values of a field of the form.
func (r Request) Fields(name string) (values []string) {
	for _, field := range r.Form {
		if field[0] == name {
			values = append(values, field[1])
		}
	}
	return values
}

// New creates a server that exists until the test ends. Its interval defaults to 1 second.
func New(t testing.TB, settings Settings) *Server {
	t.Helper()
	s := Make(settings)
	t.Cleanup(s.Delete)
	return s
}

// Make creates a server for code that is not a test.
func Make(settings Settings) *Server {
	with := Settings{"interval": 1}
	for name, value := range settings {
		with[name] = value
	}
	s := &Server{}
	call("POST", "servers", with, s)
	return s
}

// Silent creates a server that never responds at one endpoint.
func Silent(t testing.TB, endpoint string) *Server {
	t.Helper()
	hang := Settings{"steps": []Settings{{"hang": "before"}}, "then": "repeat"}
	return New(t, Settings{"script": Settings{endpoint: hang}})
}

// Scripted creates a server that responds with the given steps at one endpoint.
func Scripted(t testing.TB, endpoint string, steps ...any) *Server {
	t.Helper()
	return New(t, Settings{"script": Settings{endpoint: steps}})
}

// never is the timeout of the clients. No client times out during a test.
const never = 5 * time.Minute

// Options returns the options with which a client trusts this server and waits for it as long as a test does.
func (s *Server) Options(more ...cliauth.Option) []cliauth.Option {
	options := []cliauth.Option{
		cliauth.WithInsecureLoopback(true),
		cliauth.WithConnectTimeout(never), cliauth.WithReadTimeout(never), cliauth.WithRequestTimeout(never),
	}
	if s.CAPEM != "" {
		options = append(options, cliauth.WithCAPEM([]byte(s.CAPEM)))
	}
	return append(options, more...)
}

// Client returns a client that uses this server as AuthKit.
func (s *Server) Client(t testing.TB, more ...cliauth.Option) *cliauth.Client {
	t.Helper()
	client, err := cliauth.New(cliauth.AuthKit("client_test"), s.Options(append(more, cliauth.WithAPIBase(s.URL))...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// ClientByIssuer returns a client that uses the metadata of this server, so that scopes and revocation are available.
func (s *Server) ClientByIssuer(t testing.TB, more ...cliauth.Option) *cliauth.Client {
	t.Helper()
	client, err := cliauth.New(cliauth.Issuer(s.Issuer, "client_test"), s.Options(more...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// Answer decides on the newest code.
func (s *Server) Answer(decision Settings) { s.call("POST", "/answer", decision, nil) }

// Script replaces the script, which starts from its beginning.
func (s *Server) Script(script Settings) { s.call("PUT", "/script", script, nil) }

// Listening sets whether the server accepts connections.
func (s *Server) Listening(listening bool) {
	s.call("PUT", "/listening", Settings{"listening": listening}, nil)
}

// Delete deletes the server.
func (s *Server) Delete() { s.call("DELETE", "", nil, nil) }

// Requests returns the requests to an endpoint so far.
func (s *Server) Requests(endpoint string) []Request { return s.log("", endpoint) }

// Connections returns the connections so far.
func (s *Server) Connections() []Connection {
	var log struct{ Connections []Connection }
	s.call("GET", "/log", nil, &log)
	return log.Connections
}

// WaitFor waits until an endpoint has received count requests.
func (s *Server) WaitFor(t testing.TB, endpoint string, count int) {
	t.Helper()
	found := s.log(fmt.Sprintf("?endpoint=%s&count=%d&timeout=60", endpoint, count), endpoint)
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
