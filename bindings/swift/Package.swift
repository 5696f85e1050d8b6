// swift-tools-version: 5.9
import PackageDescription

// The packed package has the library for Linux on x86-64 in `lib`. Elsewhere the linker has to be told where it lies:
// swift build -Xlinker -L/where/it/is
let library = "\(Context.packageDirectory)/lib/linux-x86_64"

let package = Package(
    name: "CLIAuth",
    platforms: [.macOS(.v13), .iOS(.v16), .tvOS(.v16), .watchOS(.v9), .visionOS(.v1)],
    products: [
        .library(name: "CLIAuth", targets: ["CLIAuth"])
    ],
    targets: [
        .target(name: "CLIAuth", dependencies: ["CLIAuthNative"]),
        // Written by UniFFI when the package is made.
        .target(
            name: "CLIAuthNative",
            dependencies: ["CLIAuthFFI"],
            linkerSettings: [
                .unsafeFlags(["-L", library], .when(platforms: [.linux])),
                .linkedLibrary("m", .when(platforms: [.linux])),
                .linkedLibrary("dl", .when(platforms: [.linux])),
                .linkedLibrary("pthread", .when(platforms: [.linux])),
            ]
        ),
        .systemLibrary(name: "CLIAuthFFI"),
    ]
)
