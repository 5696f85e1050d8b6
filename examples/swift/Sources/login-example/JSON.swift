/// The part of JSON that is needed to write a line. It keeps the order of the members, which JSONEncoder does not.
indirect enum JSON {
    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSON])
    case members([(String, JSON)])

    static func text(_ text: String?) -> JSON { text.map(JSON.string) ?? .null }
    static func number(_ number: Int?) -> JSON { number.map { .number(String($0)) } ?? .null }
    static func list(_ list: [JSON]?) -> JSON { list.map(JSON.array) ?? .null }
    static func object(_ members: [(String, JSON)]) -> JSON { .members(members) }

    /// The seconds, rounded to milliseconds, without trailing zeros.
    static func seconds(_ duration: Duration?) -> JSON {
        guard let duration else { return .null }
        var (whole, part) = duration.components
        part = (part + 500_000_000_000_000) / 1_000_000_000_000_000
        if part == 1000 { (whole, part) = (whole + 1, 0) }
        if part == 0 { return .number(String(whole)) }
        var places = String(String(1000 + part).dropFirst())
        while places.hasSuffix("0") { places.removeLast() }
        return .number("\(whole).\(places)")
    }

    /// The value as JSON. It is ASCII, so text from a server cannot affect a terminal that shows it.
    var encoded: String {
        switch self {
        case .null: return "null"
        case .bool(let value): return String(value)
        case .number(let number): return number
        case .string(let text): return Self.quoted(text)
        case .array(let list): return "[\(list.map(\.encoded).joined(separator: ","))]"
        case .members(let members):
            return "{\(members.map { "\(Self.quoted($0)):\($1.encoded)" }.joined(separator: ","))}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for unit in text.utf16 {
            switch unit {
            case 0x22: quoted += "\\\""
            case 0x5C: quoted += "\\\\"
            case 0x20...0x7E: quoted.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
            default:
                let digits = String(unit, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return quoted + "\""
    }
}
