// swift-tools-version: 5.9
import PackageDescription

// The packed package, because the source tree lacks the library.
let library = Context.environment["CLIAUTH_PACKAGE"] ?? "../../../bindings/swift"

let package = Package(
    name: "meter",
    platforms: [.macOS(.v13)],
    dependencies: [.package(path: library)],
    targets: [.executableTarget(name: "meter", dependencies: ["CLIAuth"])]
)
