// swift-tools-version: 5.9
import PackageDescription

let package = Package(
    name: "meter",
    platforms: [.macOS(.v13)],
    dependencies: [.package(path: "../../../bindings/swift")],
    targets: [.executableTarget(name: "meter", dependencies: ["CLIAuth"])]
)
