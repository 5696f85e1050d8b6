// swift-tools-version: 5.9
import PackageDescription

let package = Package(
    name: "login-example",
    platforms: [.macOS(.v13)],
    dependencies: [
        // The package is not published yet. This is the directory where the output of `cargo xtask package swift` was
        // unpacked.
        .package(path: "../../bindings/swift")
    ],
    targets: [
        .executableTarget(name: "login-example", dependencies: ["CLIAuth"])
    ]
)
