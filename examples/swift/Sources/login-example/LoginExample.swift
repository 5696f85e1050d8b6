// Signs a user in from a terminal. A complete example of a tool that uses CLIAuth; copy it.

import CLIAuth

// Foundation is large on Linux. FoundationEssentials lets the tool start in milliseconds.
#if canImport(FoundationEssentials)
    import FoundationEssentials
    import Glibc
#else
    import Foundation
#endif

let version = "0.1.0"

@main
struct LoginExample {
    static func main() async {
        // A connection must not get the number of a standard stream that was closed before the start.
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) == -1 {
            _ = open("/dev/null", O_RDONLY)
        }
        // If the reader closes standard output, writing must fail instead of ending the program.
        signal(SIGPIPE, SIG_IGN)
        let options = Options.ofTheCommandLine()
        let output: any Output = options.json ? JSONLines() : Words()
        do {
            exit(try await logIn(options, output))
        } catch {
            // Standard output is closed, so nothing can be reported.
            exit(1)
        }
    }

    /// Logs in and returns the exit status. Throws only if writing fails.
    static func logIn(_ options: Options, _ output: any Output) async throws -> Int32 {
        if let timeout = options.timeout {
            forceExit(after: timeout + grace, status: exitStatus(of: .expired))
        }
        let signals = Signals()
        do {
            let login = try client(for: options).login()
            signals.willCancel(login)
            for try await step in login.steps {
                switch step {
                case .prompt(let prompt):
                    try output.prompt(prompt)
                    if !options.json && !options.noBrowser && prompt.openBrowser() == .started {
                        say("A browser should open now. If it does not, open the address yourself.\n")
                    }
                case .event(let event):
                    try output.event(event)
                case .authorized(let tokens):
                    try output.authorized(tokens)
                }
            }
            return 0
        } catch let error as CLIAuthError {
            try output.failed(error)
            if error.kind == .cancelled, let caught = signals.caught { return 128 + caught }
            return exitStatus(of: error.kind)
        }
    }

    static func exitStatus(of kind: CLIAuthError.Kind) -> Int32 {
        switch kind {
        case .denied: return 3
        case .expired: return 4
        case .actionRequired: return 5
        default: return 1
        }
    }

    static func client(for options: Options) throws -> Client {
        let settings = ClientOptions(
            scopes: options.scopes,
            params: options.params,
            tokenParams: options.tokenParams,
            headers: options.headers,
            caPEM: try options.caFile.map(certificates),
            product: "login-example/\(version)",
            clientSecret: try options.clientSecretEnv.map(secret),
            pkce: options.pkce,
            loginTimeout: options.timeout,
            allowInsecureLoopback: options.insecureLoopback
        )
        switch options.server {
        case .authKit(let apiBase):
            return try .authKit(clientID: options.clientID, apiBase: apiBase, options: settings)
        case .connect(let domain):
            return try .workOSConnect(domain: domain, clientID: options.clientID, options: settings)
        case .oidc(let issuer, let device, let token, let revocation):
            return try .forIssuer(
                issuer, clientID: options.clientID, deviceAuthorizationEndpoint: device, tokenEndpoint: token,
                revocationEndpoint: revocation, options: settings)
        case .endpoints(let device, let token, let revocation):
            return try .withEndpoints(
                deviceAuthorization: device, token: token, revocation: revocation, clientID: options.clientID,
                options: settings)
        }
    }

    static func certificates(_ path: String) throws -> Data {
        guard let file = fopen(path, "rb") else {
            throw CLIAuthError(.invalidConfig, "cannot read \(sanitize(path)): \(String(cString: strerror(errno)))")
        }
        defer { fclose(file) }
        // Reads at most one byte over 4 MiB, the limit above which the library rejects the file.
        var pem = Data(count: 4 * 1024 * 1024 + 1)
        let length = pem.withUnsafeMutableBytes { fread($0.baseAddress, 1, $0.count, file) }
        guard ferror(file) == 0 else {
            throw CLIAuthError(.invalidConfig, "cannot read \(sanitize(path)): \(String(cString: strerror(errno)))")
        }
        return pem.prefix(length)
    }

    static func secret(_ variable: String) throws -> Secret {
        guard let value = getenv(variable), let text = utf8(value) else {
            throw CLIAuthError(.invalidConfig, "the variable \(sanitize(variable)) is not set to a text")
        }
        return Secret(text)
    }
}
