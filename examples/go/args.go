package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"cliauth"
)

const usage = `Usage: login-example [COMMAND] --provider PROVIDER --client-id ID [OPTION]...

Logs you in, in a browser on this or another device. The command is login, which may be left out, or token, status or
logout, which need a stored login.

  --provider PROVIDER        authkit: WorkOS AuthKit
                             connect: WorkOS Connect (--domain)
                             oidc: any server that publishes its metadata (--issuer)
                             endpoints: any other (--device-endpoint, --token-endpoint)
  --client-id ID             how the server knows this tool
  --api-base URL             authkit: another address of the WorkOS API
  --domain HOST_OR_URL       connect: the AuthKit domain
  --issuer URL               oidc: the issuer, exactly as the server writes it
  --device-endpoint URL      endpoints: where a login begins; oidc: if the metadata lacks it
  --token-endpoint URL       endpoints: where the tokens come from; oidc: if the metadata lacks it
  --revocation-endpoint URL  endpoints: where tokens are revoked; oidc: if the metadata lacks it
  --client-secret-env NAME   the environment variable with a client secret
  --scope S                  a scope to ask for; repeatable
  --param K=V                an extra parameter of the first request (token: of a refresh); repeatable
  --token-param K=V          an extra parameter of the token request; repeatable
  --pkce MODE                auto (if the metadata lists it), always or never
  --header 'NAME: VALUE'     an extra header of every request; repeatable
  --ca-file PEM              certificates to trust beside the system's
  --insecure-loopback        allow http to this machine, for tests
  --app NAME                 the program that the stored login belongs to
  --profile NAME             the name of the stored login
  --store STORE              where to store the login: auto, keyring, file or none; this tool
                             can only use none, the default
  --json                     print a JSON object a line, and nothing else
  --no-browser               login: do not open a browser
  --timeout SECONDS          login: give up after this time
  --begin                    login: store the login and end after the prompt
  --resume                   login: go on with the login that --begin stored
  --min-validity SECONDS     token: how long the token must be valid
  --refused-env NAME         token: the variable with a token that was refused
  --version                  print the version
`

// options are the options on the command line.
type options struct {
	// given are the names of the options that were given, including those with an empty value.
	given map[string]bool

	provider, clientID            string
	apiBase, domain, issuer       string
	deviceEndpoint, tokenEndpoint string
	revocationEndpoint            string
	clientSecretEnv, caFile       string
	scopes                        []string
	params, tokenParams, headers  []pair
	pkce                          cliauth.PKCE
	insecureLoopback              bool
	json, noBrowser               bool
	timeout                       time.Duration
}

type pair struct{ name, value string }

// readArguments reads the command line. It ends the program with status 2 if the command line is invalid.
func readArguments(words []string) *options {
	o, err := parse(words)
	switch {
	case err == nil:
		return o
	case errors.Is(err, flag.ErrHelp):
		fmt.Print(usage)
		os.Exit(0)
	case errors.Is(err, errVersion):
		fmt.Println("login-example", version)
		os.Exit(0)
	case errors.As(err, new(refusal)):
		say("login-example: %v.\n", err)
		os.Exit(2)
	}
	fmt.Fprintf(os.Stderr, "%s\nlogin-example: %v\n", usage, err)
	os.Exit(2)
	return nil
}

var errVersion = errors.New("the version is asked for")

// refusal is a limit of this tool: the command line is valid.
type refusal string

func (r refusal) Error() string { return string(r) }

func parse(words []string) (*options, error) {
	command := "login"
	if len(words) > 0 && !strings.HasPrefix(words[0], "-") {
		command, words = words[0], words[1:]
	}
	o := &options{}
	flags := flag.NewFlagSet("login-example", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.provider, "provider", "", "")
	flags.StringVar(&o.clientID, "client-id", "", "")
	flags.StringVar(&o.apiBase, "api-base", "", "")
	flags.StringVar(&o.domain, "domain", "", "")
	flags.StringVar(&o.issuer, "issuer", "", "")
	flags.StringVar(&o.deviceEndpoint, "device-endpoint", "", "")
	flags.StringVar(&o.tokenEndpoint, "token-endpoint", "", "")
	flags.StringVar(&o.revocationEndpoint, "revocation-endpoint", "", "")
	flags.StringVar(&o.clientSecretEnv, "client-secret-env", "", "")
	flags.StringVar(&o.caFile, "ca-file", "", "")
	flags.BoolVar(&o.insecureLoopback, "insecure-loopback", false, "")
	flags.BoolVar(&o.json, "json", false, "")
	flags.String("app", "", "")
	flags.String("profile", "", "")
	store := flags.String("store", "none", "")
	showVersion := flags.Bool("version", false, "")
	flags.Func("scope", "", func(word string) error {
		o.scopes = append(o.scopes, word)
		return nil
	})
	for option, params := range map[string]*[]pair{"param": &o.params, "token-param": &o.tokenParams} {
		flags.Func(option, "", func(word string) error {
			name, value, found := strings.Cut(word, "=")
			if !found {
				return errors.New("write it as NAME=VALUE")
			}
			*params = append(*params, pair{name, value})
			return nil
		})
	}
	flags.Func("pkce", "", func(word string) (err error) {
		o.pkce, err = pkce(word)
		return err
	})
	flags.Func("header", "", func(word string) error {
		name, value, found := strings.Cut(word, ":")
		if !found {
			return errors.New("write it as 'Name: value'")
		}
		o.headers = append(o.headers, pair{strings.TrimSpace(name), strings.TrimSpace(value)})
		return nil
	})
	switch command {
	case "login":
		flags.BoolVar(&o.noBrowser, "no-browser", false, "")
		flags.Func("timeout", "", func(word string) (err error) {
			o.timeout, err = seconds(word)
			return err
		})
		flags.Bool("begin", false, "")
		flags.Bool("resume", false, "")
	case "token":
		flags.String("min-validity", "", "")
		flags.String("refused-env", "", "")
	case "status", "logout":
	default:
		return nil, fmt.Errorf("there is no command %q", command)
	}
	if err := flags.Parse(words); err != nil {
		return nil, withTwoDashes(err)
	}
	if *showVersion {
		return nil, errVersion
	}
	if flags.NArg() > 0 {
		return nil, fmt.Errorf("%q is an argument too many", flags.Arg(0))
	}
	o.given = map[string]bool{}
	flags.Visit(func(f *flag.Flag) { o.given[f.Name] = true })
	if err := check(o.provider, o.given); err != nil {
		return nil, err
	}
	return o, checkStore(command, *store, o.given)
}

// checkStore refuses what needs a stored login, because this tool does not store any.
func checkStore(command, store string, given map[string]bool) error {
	switch {
	case !slices.Contains([]string{"auto", "keyring", "file", "none"}, store):
		return errors.New("--store: write auto, keyring, file or none")
	case given["begin"] && given["resume"]:
		return errors.New("--begin and --resume cannot be used together")
	case store != "none":
		return refusal("this tool cannot store a login yet, so --store must be none")
	case command != "login":
		return refusal(command + " needs a stored login, and --store is none")
	case given["begin"] || given["resume"]:
		return errors.New("--begin and --resume need a store, and --store is none")
	}
	return nil
}

// check checks the options against the provider: some options belong to only one or two of them.
func check(provider string, given map[string]bool) error {
	for _, name := range []string{"provider", "client-id"} {
		if !given[name] {
			return fmt.Errorf("--%s is missing", name)
		}
	}
	known := false
	for _, own := range []struct {
		// The first provider is the one that may need the option.
		providers []string
		option    string
		needed    bool
	}{
		{[]string{"authkit"}, "api-base", false},
		{[]string{"connect"}, "domain", true},
		{[]string{"oidc"}, "issuer", true},
		{[]string{"endpoints", "oidc"}, "device-endpoint", true},
		{[]string{"endpoints", "oidc"}, "token-endpoint", true},
		{[]string{"endpoints", "oidc"}, "revocation-endpoint", false},
	} {
		takesIt := slices.Contains(own.providers, provider)
		known = known || takesIt
		if own.needed && own.providers[0] == provider && !given[own.option] {
			return fmt.Errorf("--provider %s needs --%s", provider, own.option)
		}
		if !takesIt && given[own.option] {
			return fmt.Errorf("--%s is for --provider %s", own.option, strings.Join(own.providers, " and "))
		}
	}
	if !known {
		return fmt.Errorf("there is no --provider %q", provider)
	}
	return nil
}

func seconds(word string) (time.Duration, error) {
	number, err := strconv.ParseFloat(word, 64)
	if err != nil || !(number > 0) || math.IsInf(number, 1) {
		return 0, errors.New("give a number of seconds above 0")
	}
	nanoseconds := number * 1e9
	if nanoseconds >= math.MaxInt64 {
		return math.MaxInt64, nil
	}
	// A very short time must not become 0, which means no timeout.
	return max(time.Duration(nanoseconds), 1), nil
}

// ofFlag matches where package flag names an option with one dash.
var ofFlag = regexp.MustCompile(`(defined: |argument: |for flag | for )-`)

func withTwoDashes(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	return errors.New(ofFlag.ReplaceAllString(err.Error(), "$1--"))
}

func pkce(word string) (cliauth.PKCE, error) {
	switch word {
	case "auto":
		return cliauth.PKCEAuto, nil
	case "always":
		return cliauth.PKCEAlways, nil
	case "never":
		return cliauth.PKCENever, nil
	}
	return 0, errors.New("write auto, always or never")
}
