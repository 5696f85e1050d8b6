// swift-tools-version: 5.9
import PackageDescription

// The library is passed to the linker: -Xlinker libfloor.a
let package = Package(
    name: "floor",
    targets: [
        .executableTarget(name: "floor", dependencies: ["CFloor"]),
        .systemLibrary(name: "CFloor"),
    ]
)
