// swift-tools-version: 6.2
import PackageDescription

#if arch(x86_64)
    let vectors: [SwiftSetting] = [.unsafeFlags(["-target-cpu", "haswell"], .when(traits: ["AVX2"]))]
#else
    let vectors: [SwiftSetting] = []
#endif

// Every Swift target is built in Swift 6 mode, with warnings as errors and with these features (docs/adr/language-features.md).
let strict: [SwiftSetting] =
    [
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + vectors

// Libraries and executables also mark what may break memory as `unsafe`.
let memorySafe = strict + [.strictMemorySafety()]

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: memorySafe)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let yaml = Target.Dependency.product(name: "Yams", package: "Yams")
let systemPackage = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let orderedCollections = Target.Dependency.product(name: "OrderedCollections", package: "swift-collections")
let heapModule = Target.Dependency.product(name: "HeapModule", package: "swift-collections")

// The MPI library, by the name of its pkg-config file: ompi-c for Open MPI, mpich for MPICH and Cray MPICH, impi for Intel MPI.
// Give each library its own scratch path (docs/running-on-slurm.md).
let mpiLibrary = Context.environment["UNOLORA_MPI_LIBRARY"].flatMap { $0.isEmpty ? nil : $0 } ?? "ompi-c"

let package = Package(
    name: "unolora-dist",
    products: [
        .executable(name: "unolora-dist", targets: ["unolora-dist"]),
        .executable(name: "unolora-bench", targets: ["unolora-bench"]),
        // Only tests use it: they load it before a program.
        .library(name: "NoLocks", type: .dynamic, targets: ["NoLocks"]),
    ],
    // For other processors: swift build --disable-default-traits. That also leaves out oneDNN: OpenBLAS then computes all
    // float32 products on the mapped file. To keep oneDNN, add --traits OneDNN.
    traits: [
        .default(enabledTraits: ["AVX2", "OneDNN"]),
        .trait(name: "AVX2", description: "Kernels for x86 processors with AVX2 (Haswell, Zen or later)"),
        .trait(name: "OneDNN", description: "Products with frozen weights that oneDNN packed (libdnnl-dev)"),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    ],
    targets: [
        // C targets. The header of each shim states why it exists.
        .systemLibrary(
            name: "CMPILibrary", pkgConfig: mpiLibrary,
            providers: [.apt([mpiLibrary == "mpich" ? "libmpich-dev" : "libopenmpi-dev"])]),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
        .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(
            name: "COpenSentencePiece", pkgConfig: "sentencepiece", providers: [.apt(["libsentencepiece-dev"])]),
        .target(name: "CMPI", dependencies: ["CMPILibrary"]),
        // Debian's libdnnl-dev has no pkg-config file, and it uses GNU's OpenMP.
        .target(name: "CDNNL", linkerSettings: [.linkedLibrary("dnnl"), .linkedLibrary("gomp")]),
        .target(name: "CIntegerProducts"),
        .target(name: "CTileProducts"),
        .target(name: "CKernelChoice", dependencies: ["COpenBLAS"]),
        .target(name: "CAllocations"),
        .target(name: "CMappings"),
        .target(name: "CProcessor", cSettings: [.define("UNOLORA_AVX2", .when(traits: ["AVX2"]))]),
        .target(name: "CVectorKernels", cSettings: [.define("UNOLORA_AVX2", .when(traits: ["AVX2"]))]),
        .target(name: "CSentencePiece", dependencies: ["COpenSentencePiece"]),

        // Libraries, lowest first: a target imports only targets above its line.
        library("Failures", ["CProcessor"]),
        library("Heartbeat", []),
        library("Randomness", []),
        library("Pages", []),
        library("MPI", ["CMPI", "Failures", "Heartbeat"]),
        library("Tensors", ["CMappings", "CXXHash", "Failures", "Heartbeat", systemPackage]),
        library(
            "Kernels",
            [
                .target(name: "CDNNL", condition: .when(traits: ["OneDNN"])), "CIntegerProducts", "CKernelChoice",
                "COpenBLAS", "CTileProducts", "CVectorKernels", "Failures", "Tensors",
            ]),
        library("Analysis", ["COpenBLAS", "Failures", "Tensors"]),
        library("Text", ["CSentencePiece", "Failures", "Tensors"]),
        library("Optimizers", ["CVectorKernels", "Tensors"]),
        library("Backbone", ["Failures", "Heartbeat", "Kernels", "Tensors"]),
        library("T5", ["Backbone", "Failures", "Heartbeat", "Kernels", "Randomness", "Tensors"]),
        library("Backbones", ["Backbone", "Failures", "Kernels", "T5", "Tensors"]),
        library("Adapters", ["Backbone", "Failures", "Kernels", "Randomness", "Tensors"]),
        library("Tasks", ["CZlib", "Failures", "Heartbeat", "Randomness", "Tensors", "Text"]),
        library("Checkpoints", ["Failures", "Tensors"]),
        library("Configuration", ["Failures", orderedCollections, yaml]),
        library("Runs", ["Checkpoints", "Configuration", "Failures", "Heartbeat", "Tasks", "Tensors", logging]),
        library("Studies", ["Configuration", "Failures", "Randomness", "Runs", "Tasks", "Tensors", yaml]),
        library("Reports", ["Analysis", "Pages", "Runs", "Studies", "Tasks"]),
        library(
            "Training",
            [
                "Adapters", "Backbone", "Backbones", "Checkpoints", "Configuration", "Failures", "Heartbeat", "Kernels",
                "MPI", "Optimizers", "Runs", "Tasks", "Tensors", "Text", heapModule, logging,
            ]),
        library(
            "Exports",
            [
                "Adapters", "Backbone", "Backbones", "Checkpoints", "Configuration", "Failures", "Kernels", "Runs",
                "T5", "Tasks", "Tensors", "Text", "Training",
            ]),
        library(
            "Commands",
            [
                "Adapters", "Analysis", "Backbone", "Backbones", "Checkpoints", "Configuration", "Exports", "Failures",
                "Kernels", "MPI", "Optimizers", "Pages", "Reports", "Runs", "Studies", "Tasks", "Tensors", "Text",
                "Training", logging,
            ]),
        .executableTarget(
            name: "unolora-dist",
            dependencies: ["Commands", "Configuration", "Failures", "MPI", "Runs", "Tasks", argumentParser],
            swiftSettings: memorySafe),
        library(
            "Benchmarks",
            [
                "Adapters", "Backbone", "Backbones", "CAllocations", "Configuration", "Failures", "Kernels", "MPI",
                "Optimizers", "Randomness", "Runs", "Tasks", "Tensors", "Training",
            ]),
        .executableTarget(
            name: "unolora-bench",
            dependencies: [
                "Benchmarks", "Commands", "Configuration", "Failures", "Kernels", "MPI", "Runs", "Training",
                argumentParser,
            ],
            swiftSettings: memorySafe),

        // Tests
        .target(name: "NoLocks", path: "Tests/NoLocks"),
        .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
        .target(
            name: "ToyMethod", dependencies: ["Adapters", "Backbone", "Kernels", "Tensors"],
            path: "Tests/ToyMethod", swiftSettings: strict),
        .target(
            name: "BackboneChecks", dependencies: ["Backbone", "Randomness", "Tensors", "TestSupport"],
            path: "Tests/BackboneChecks", swiftSettings: strict),
        tests("TensorsTests", ["Failures", "Randomness", "Tensors", "TestSupport"], exclude: ["Goldens"]),
        tests("RandomnessTests", ["Randomness"]),
        tests("TextTests", ["Failures", "Tensors", "TestSupport", "Text"]),
        tests("TasksTests", ["Failures", "Tasks", "Tensors", "TestSupport", "Text"], exclude: ["Metrics/Goldens"]),
        tests(
            "KernelsTests",
            [
                "CIntegerProducts", "CKernelChoice", "CTileProducts", "CVectorKernels", "Failures", "Kernels",
                "Randomness", "Tensors",
                "TestSupport",
            ]),
        tests("PagesTests", ["Pages", "TestSupport"]),
        tests(
            "ReportsTests",
            ["Analysis", "Pages", "Reports", "Runs", "Studies", "Tasks", "TestSupport"]),
        tests("AnalysisTests", ["Analysis", "Failures", "Tensors", "TestSupport"], exclude: ["Goldens"]),
        tests("OptimizersTests", ["Optimizers", "Tensors", "TestSupport"]),
        tests(
            "T5Tests",
            [
                "T5", "Adapters", "Backbone", "BackboneChecks", "Failures", "Kernels", "Randomness", "Tensors",
                "TestSupport", "ToyMethod",
            ],
            exclude: ["Goldens"]),
        tests("CheckpointsTests", ["Checkpoints", "Failures", "Tensors", "TestSupport"]),
        tests("ConfigurationTests", ["Configuration", "Failures", "TestSupport"]),
        tests(
            "RunsTests", ["Configuration", "Failures", "Runs", "Tasks", "TestSupport"], exclude: ["Metrics/Goldens"]),
        tests(
            "StudiesTests", ["Configuration", "Failures", "Runs", "Studies", "Tasks", "TestSupport"]),
        tests(
            "TrainingTests",
            [
                "Adapters", "Backbone", "Backbones", "Configuration", "Failures", "Kernels", "MPI", "Optimizers",
                "Runs",
                "T5", "Tasks", "Tensors", "TestSupport", "Training",
            ],
            exclude: ["Origin/Goldens"]),
        tests(
            "CommandsTests",
            ["Commands", "Configuration", "Failures", "Kernels", "Tasks", "Tensors", "TestSupport", "Training"],
            exclude: ["Verify/Cases"]),
        tests(
            "ExportsTests",
            [
                "Adapters", "Backbone", "Backbones", "Checkpoints", "Configuration", "Exports", "Failures", "Kernels",
                "Runs", "T5", "Tasks", "Tensors", "TestSupport", "Text", "Training",
            ],
            exclude: ["Goldens"]),
        tests(
            "DistributedTests",
            [
                "Adapters", "Backbone", "Configuration", "Failures", "Kernels", "MPI", "Optimizers", "Randomness",
                "Runs",
                "T5", "Tasks", "Tensors", "TestSupport", "Text", "ToyMethod", "Training",
            ]),
        tests("BenchmarksTests", ["Benchmarks", "Failures", "TestSupport"]),
        tests("CommandTests", ["Backbone", "Kernels", "Runs", "T5", "Tasks", "TestSupport", "Tensors", "Text"]),
    ],
    cxxLanguageStandard: .cxx17
)

// fuzz/Parsers feeds bytes to every parser. An ordinary test feeds the committed inputs. A separate program feeds libFuzzer's
// inputs; it needs parsers that are built for fuzzing, so only fuzz/run.sh builds it (docs/fuzzing.md).
let parsers: [Target.Dependency] = [
    "Adapters", "Backbone", "Checkpoints", "Configuration", "Failures", "Runs", "T5", "Tasks", "Tensors", "Text",
    "Training",
]
if Context.environment["UNOLORA_FUZZING"] == nil {
    package.targets.append(
        .testTarget(
            name: "FuzzTests", dependencies: parsers, path: "fuzz",
            exclude: ["CFuzzer", "Driver", "corpus", "dictionaries", "run.sh"], sources: ["Parsers", "Replay"],
            swiftSettings: strict))
} else {
    package.targets += [
        .target(name: "CFuzzer", path: "fuzz/CFuzzer"),
        .executableTarget(
            name: "unolora-fuzz", dependencies: parsers + ["CFuzzer"], path: "fuzz",
            exclude: ["CFuzzer", "Replay", "corpus", "dictionaries", "run.sh"], sources: ["Parsers", "Driver"],
            swiftSettings: strict),
    ]
}

// UNOLORA_TESTS names the only test targets to build, separated by commas (launch/test.sh).
if let wanted = Context.environment["UNOLORA_TESTS"]?.split(separator: ",").map(String.init) {
    package.targets.removeAll { $0.type == .test && !wanted.contains($0.name) }
}
