// swift-tools-version: 5.9
import PackageDescription

let package = Package(
    name: "tests",
    platforms: [.macOS(.v13)],
    dependencies: [.package(path: "../../swift")],
    targets: [
        // Ends in the middle of a login, in the way that it is told.
        .executableTarget(name: "quits", dependencies: ["CLIAuth"]),
        .testTarget(name: "CLIAuthTests", dependencies: ["CLIAuth", "quits"]),
    ]
)
