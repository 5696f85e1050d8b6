// swift-tools-version: 5.9
import PackageDescription

// The packed package: in the source tree the library is missing.
let library = Context.environment["CLIAUTH_PACKAGE"] ?? "../../../bindings/swift"

let package = Package(
    name: "meter",
    platforms: [.macOS(.v13)],
    dependencies: [.package(path: library)],
    targets: [.executableTarget(name: "meter", dependencies: ["CLIAuth"])]
)
