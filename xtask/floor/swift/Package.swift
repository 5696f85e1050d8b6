// swift-tools-version: 5.9
import PackageDescription

// The library is found by -Xlinker -L.
let package = Package(
    name: "floor",
    targets: [
        .executableTarget(name: "floor", dependencies: ["CFloor"]),
        .systemLibrary(name: "CFloor"),
    ]
)
