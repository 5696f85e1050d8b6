import CLIAuthNative

/// A secret text: a token or a client secret.
///
/// Printing, interpolating, reflecting and dumping it gives `****`, also where it is a part of something else, and it cannot be
/// encoded. The one way out is ``expose()``.
///
/// The library overwrites its own memory of a secret when the last copy of this value is gone. The `String` from which it was
/// made, and the one that ``expose()`` gives, are Swift's, which overwrites nothing: expose late, and do not keep it.
public struct Secret: Sendable, Equatable {
    let native: CLIAuthNative.Secret

    init(_ native: CLIAuthNative.Secret) {
        self.native = native
    }

    /// Wraps a text, such as a refresh token that was read from a keyring.
    public init(_ text: String) {
        native = CLIAuthNative.Secret(text: text)
    }

    /// The secret in clear text. Whoever calls this is responsible for where it goes next.
    public func expose() -> String {
        native.expose()
    }

    /// Whether both hold the same text. It does not take constant time.
    public static func == (one: Secret, other: Secret) -> Bool {
        one.native == other.native
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// `****`, whatever the secret.
    public var description: String { "****" }

    /// `Secret(****)`, whatever the secret.
    public var debugDescription: String { "Secret(****)" }

    /// A mirror that shows nothing.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}
