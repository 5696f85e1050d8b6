// swift-tools-version: 5.9
import PackageDescription

let package = Package(
    name: "login-example",
    platforms: [.macOS(.v13)],
    dependencies: [
        // The package has no public home yet: this is where `cargo xtask package swift` was unpacked.
        .package(path: "../../bindings/swift")
    ],
    targets: [
        .executableTarget(name: "login-example", dependencies: ["CLIAuth"])
    ]
)
