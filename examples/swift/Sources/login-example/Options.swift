import CLIAuth

#if canImport(Glibc)
    import Glibc
#else
    import Foundation
#endif

let usage = """
    Usage: login-example [COMMAND] --provider PROVIDER --client-id ID [OPTION]...

    Logs you in, in a browser on this or another device. The command is login, which may be left out, or token, status
    or logout, which need a stored login.

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

    """

/// The parsed command line.
struct Options {
    enum Server {
        case authKit(apiBase: String?)
        case connect(domain: String)
        case oidc(issuer: String, device: String?, token: String?, revocation: String?)
        case endpoints(device: String, token: String, revocation: String?)
    }

    var server = Server.authKit(apiBase: nil)
    var clientID = ""
    var clientSecretEnv: String?
    var scopes: [String] = []
    var params: [(name: String, value: String)] = []
    var tokenParams: [(name: String, value: String)] = []
    var pkce = PKCE.auto
    var headers: [(name: String, value: String)] = []
    var caFile: String?
    var insecureLoopback = false
    var json = false
    var noBrowser = false
    var timeout: Duration?

    /// Parses the command line. Ends the program with status 2 if it is invalid.
    static func ofTheCommandLine() -> Options {
        do {
            let words = try (1..<Int(CommandLine.argc)).map(word)
            if words.contains("--help") || words.contains("-h") || words == ["help"] { finish(usage) }
            if words.contains("--version") { finish("login-example \(version)\n") }
            return try Options(words)
        } catch let wrong as Wrong {
            say("\(usage)\nlogin-example: \(sanitize(wrong.why))\n")
        } catch let refused as Refused {
            say("login-example: \(refused.why).\n")
        } catch {
            say("login-example: \(error)\n")
        }
        exit(2)
    }

    private init(_ words: [String]) throws {
        let named = words.first.flatMap { $0.hasPrefix("-") ? nil : $0 }
        let command = named ?? "login"
        guard ["login", "token", "status", "logout"].contains(command) else {
            throw Wrong("there is no command \(command)")
        }
        var words = Arguments(words.dropFirst(named == nil ? 0 : 1))
        var given: [String: String] = [:]
        var (begin, resume) = (false, false)
        while let word = words.next() {
            let (option, value) = word
            switch option {
            case "--insecure-loopback": insecureLoopback = try words.nothing(after: option, value)
            case "--json": json = try words.nothing(after: option, value)
            case "--no-browser" where command == "login": noBrowser = try words.nothing(after: option, value)
            case "--begin" where command == "login": begin = try words.nothing(after: option, value)
            case "--resume" where command == "login": resume = try words.nothing(after: option, value)
            case "--scope": scopes.append(try words.value(of: option, value))
            case "--param", "--token-param":
                guard let param = pair(try words.value(of: option, value), separator: "=") else {
                    throw Wrong("\(option): write it as NAME=VALUE")
                }
                if option == "--param" { params.append(param) } else { tokenParams.append(param) }
            case "--header":
                guard let header = pair(try words.value(of: option, value), separator: ":") else {
                    throw Wrong("\(option): write it as 'Name: value'")
                }
                headers.append((trimmed(header.name), trimmed(header.value)))
            case "--pkce":
                let modes: [String: PKCE] = ["auto": .auto, "always": .always, "never": .never]
                guard let mode = modes[try words.value(of: option, value)] else {
                    throw Wrong("\(option): write auto, always or never")
                }
                pkce = mode
            case "--timeout" where command == "login":
                guard let limit = seconds(try words.value(of: option, value)) else {
                    throw Wrong("\(option): give a number of seconds above 0")
                }
                timeout = limit
            case "--provider", "--client-id", "--api-base", "--domain", "--issuer", "--device-endpoint",
                "--token-endpoint", "--revocation-endpoint", "--client-secret-env", "--ca-file", "--app", "--profile",
                "--store",
                "--min-validity" where command == "token", "--refused-env" where command == "token":
                guard given[option] == nil else { throw Wrong("\(option) is there twice") }
                given[option] = try words.value(of: option, value)
            default:
                throw Wrong(option.hasPrefix("-") ? "\(command) has no \(option)" : "\(option) is a word too many")
            }
        }
        guard let id = given["--client-id"] else { throw Wrong("--client-id is missing") }
        clientID = id
        clientSecretEnv = given["--client-secret-env"]
        caFile = given["--ca-file"]
        server = try Self.server(given)
        try Self.checkStore(given["--store"] ?? "none", command, begin: begin, resume: resume)
    }

    /// Refuses what needs a stored login, because this tool does not store any.
    private static func checkStore(_ store: String, _ command: String, begin: Bool, resume: Bool) throws {
        guard ["auto", "keyring", "file", "none"].contains(store) else {
            throw Wrong("--store: write auto, keyring, file or none")
        }
        if begin && resume { throw Wrong("--begin and --resume cannot be used together") }
        if store != "none" { throw Refused(why: "this tool cannot store a login yet, so --store must be none") }
        if command != "login" { throw Refused(why: "\(command) needs a stored login, and --store is none") }
        if begin || resume { throw Wrong("--begin and --resume need a store, and --store is none") }
    }

    /// Returns the server. Checks the options that only some providers have.
    private static func server(_ given: [String: String]) throws -> Server {
        guard let provider = given["--provider"] else { throw Wrong("--provider is missing") }
        let own: [(option: String, providers: [String])] = [
            ("--api-base", ["authkit"]), ("--domain", ["connect"]), ("--issuer", ["oidc"]),
            ("--device-endpoint", ["endpoints", "oidc"]), ("--token-endpoint", ["endpoints", "oidc"]),
            ("--revocation-endpoint", ["endpoints", "oidc"]),
        ]
        guard own.contains(where: { $0.providers.contains(provider) }) else {
            throw Wrong("there is no --provider \(provider)")
        }
        if let other = own.first(where: { !$0.providers.contains(provider) && given[$0.option] != nil }) {
            throw Wrong("\(other.option) is for --provider \(other.providers.joined(separator: " or "))")
        }
        func needed(_ option: String) throws -> String {
            guard let value = given[option] else { throw Wrong("--provider \(provider) needs \(option)") }
            return value
        }
        let (device, token) = ("--device-endpoint", "--token-endpoint")
        let revocation = given["--revocation-endpoint"]
        switch provider {
        case "connect": return .connect(domain: try needed("--domain"))
        case "oidc":
            return .oidc(issuer: try needed("--issuer"), device: given[device], token: given[token], revocation: revocation)
        case "endpoints":
            return .endpoints(device: try needed(device), token: try needed(token), revocation: revocation)
        default: return .authKit(apiBase: given["--api-base"])
        }
    }

    private static func finish(_ text: String) -> Never {
        do {
            try write(text)
            exit(0)
        } catch {
            exit(1)
        }
    }
}

/// The reason why the command line is invalid.
private struct Wrong: Error {
    let why: String

    init(_ why: String) {
        self.why = why
    }
}

/// The command line is valid, but this tool cannot do what it says.
private struct Refused: Error {
    let why: String
}

/// An iterator over the arguments.
private struct Arguments {
    private var rest: ArraySlice<String>

    init(_ words: ArraySlice<String>) {
        rest = words
    }

    /// Returns the next option, with its value if it is written as `--option=value`.
    mutating func next() -> (option: String, value: String?)? {
        guard let word = rest.popFirst() else { return nil }
        guard word.hasPrefix("--"), let equals = word.firstIndex(of: "=") else { return (word, nil) }
        return (String(word[..<equals]), String(word[word.index(after: equals)...]))
    }

    /// Returns the value of an option, which may be the next argument.
    mutating func value(of option: String, _ value: String?) throws -> String {
        if let value { return value }
        guard let next = rest.first, !next.hasPrefix("--") else { throw Wrong("\(option) needs a value") }
        rest.removeFirst()
        return next
    }

    func nothing(after option: String, _ value: String?) throws -> Bool {
        guard value == nil else { throw Wrong("\(option) takes no value") }
        return true
    }
}

private func word(_ index: Int) throws -> String {
    guard let bytes = CommandLine.unsafeArgv[index], let word = utf8(bytes) else {
        throw Wrong("word \(index) is not UTF-8")
    }
    return word
}

/// Returns the text of a C string, or `nil` if it is not UTF-8, in which case Swift would substitute characters.
func utf8(_ bytes: UnsafePointer<CChar>) -> String? {
    let text = String(cString: bytes)
    return strcmp(text, bytes) == 0 ? text : nil
}

private func pair(_ word: String, separator: Unicode.Scalar) -> (name: String, value: String)? {
    guard let at = word.unicodeScalars.firstIndex(of: separator) else { return nil }
    return (String(word[..<at]), String(word[word.unicodeScalars.index(after: at)...]))
}

private func trimmed(_ text: String) -> String {
    let start = text.drop(while: \.isWhitespace)
    return String(start.prefix(start.count - start.reversed().prefix(while: \.isWhitespace).count))
}

private func seconds(_ word: String) -> Duration? {
    guard let number = Double(word), number > 0, number.isFinite else { return nil }
    // At least a millisecond, and within the range of a timer.
    return .seconds(min(max(number, 0.001), 1e9))
}
