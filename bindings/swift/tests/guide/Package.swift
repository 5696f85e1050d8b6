// swift-tools-version: 5.9
import PackageDescription

let package = Package(
    name: "guide",
    platforms: [.macOS(.v13)],
    dependencies: [.package(path: "../../../swift")],
    targets: [.executableTarget(name: "guide", dependencies: ["CLIAuth"])]
)
