import CLIAuthNative

/// Calls the library and throws its errors as errors of this package.
func translated<Value>(_ call: () throws -> Value) throws -> Value {
    do {
        return try call()
    } catch {
        throw CLIAuthError(for: error)
    }
}

/// Returns the error to throw for an error of the library: `CancellationError` if this task was cancelled.
func thrown(for error: any Error) -> any Error {
    let failure = CLIAuthError(for: error)
    return Task.isCancelled && failure.kind == .cancelled ? CancellationError() : failure
}

extension CLIAuthError {
    init(for error: any Error) {
        switch error {
        case let failure as Failure:
            var members: [String: Secret] = [:]
            for name in failure.memberNames() {
                members[name] = failure.member(name: name).map(Secret.init)
            }
            self.init(
                Kind(rawValue: failure.kind()),
                failure.description,
                oauthError: failure.oauthError(),
                serverDescription: failure.serverDescription(),
                detail: failure.detail(),
                httpStatus: failure.httpStatus().map(Int.init),
                requestID: failure.requestId(),
                retryAfter: failure.retryAfter().map(Duration.init(ofSeconds:)),
                claims: failure.claims(),
                organizations: failure.organizations()?.map { Organization(id: $0.id, name: $0.name) },
                pendingAuthenticationToken: failure.pendingAuthenticationToken().map(Secret.init),
                members: members
            )
        case let failure as CLIAuthError:
            self = failure
        default:
            self.init(.internal, "a defect of this library, please report it: \(error)")
        }
    }
}
