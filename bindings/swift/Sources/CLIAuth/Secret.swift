import CLIAuthNative

/// A secret text: a token or a client secret.
///
/// Printing, interpolating, reflecting and dumping a secret shows `****`, also if it is part of another value. It
/// cannot be encoded. Only ``expose()`` returns the text.
///
/// The library overwrites its own memory of a secret when the last copy of this value is gone. Swift does not overwrite
/// the `String` from which a secret was created, nor the one that ``expose()`` returns. Call ``expose()`` late, and do
/// not keep its result.
public struct Secret: Sendable, Equatable {
    let native: CLIAuthNative.Secret

    init(_ native: CLIAuthNative.Secret) {
        self.native = native
    }

    /// Creates a secret from its text, such as a refresh token read from a keyring.
    public init(_ text: String) {
        native = CLIAuthNative.Secret(text: text)
    }

    /// Returns the secret in clear text. The caller is responsible for keeping it secret.
    public func expose() -> String {
        native.expose()
    }

    /// Returns whether both contain the same text. The comparison does not take constant time.
    public static func == (one: Secret, other: Secret) -> Bool {
        one.native == other.native
    }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Always `****`.
    public var description: String { "****" }

    /// Always `Secret(****)`.
    public var debugDescription: String { "Secret(****)" }

    /// A mirror without children.
    public var customMirror: Mirror { Mirror(self, children: EmptyCollection()) }
}
