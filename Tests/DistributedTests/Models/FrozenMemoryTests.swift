import Backbone
import Configuration
import Failures
import Foundation
import Kernels
import MPI
import T5
import Tensors
import TestSupport
import Testing
import Text

@testable import Training

/// Whether shared memory has room for the largest pack of these tests; in a container it may be as small as 64 MiB.
private let sharedMemoryHasRoom: Bool = {
    var status = statvfs()
    return statvfs("/dev/shm", &status) == 0 && UInt64(status.f_bavail) * UInt64(status.f_frsize) >= 512 << 20
}()

/// Tests that a node holds the frozen weights once, whatever the number of its ranks: as a mapped file and, if they are packed,
/// as one shared copy. With a single rank it cannot fail.
@MainActor
@Suite(.serialized, .enabled(if: sharedMemoryHasRoom, "needs 512 MiB in /dev/shm, for what a node shares"))
struct FrozenMemoryTests {
    let world: Communicator
    let node: Communicator

    init() throws {
        BLAS.useOneThread()
        world = try TestWorld.world
        node = try world.nodeCommunicator()
    }

    /// The model is large compared with what else a process allocates during the test: 29 million weights.
    private static let shape: T5Configuration = {
        var shape = T5Configuration.presets[0].configuration
        shape.vocabularySize = 1024
        shape.modelWidth = 512
        shape.feedForwardWidth = 2048
        shape.encoderBlocks = 4
        shape.decoderBlocks = 4
        return shape
    }()

    /// The task's file is never opened.
    private static let yaml = """
        method: frozen
        tasks:
          - {name: count, format: jsonl, train: count.jsonl, holdOut: 1, fields: [text], labels: {a: one, b: two}}

        """

    @Test(arguments: ProductBackend.available.map { ($0, $0 == .tiles ? "bf16x3" : "float32") } + [(.openblas, "int8")])
    func `the ranks of a node hold the weights once`(products: ProductBackend, kind: String) throws {
        let directory = try world.rank == 0 ? TemporaryDirectory() : nil
        defer { withExtendedLifetime(directory) {} }
        let path = String(decoding: try world.broadcast(Array((directory?.path ?? "").utf8), from: 0), as: UTF8.self)
        if world.rank == 0 {
            try Self.shape.writeNewModel(directory: path, seed: 1)
            try VocabularyTrainer.train(
                sentences: ["one two three four", "five six seven"], pieces: 20, to: path + "/spiece.model")
        }
        try world.barrier()
        let configuration = try RunConfiguration.load(
            yaml: Self.yaml, name: "run.yaml", directory: path,
            overrides: ["model=\(path)", "parallel.gemm=\(products.rawValue)", "model.products=\(kind)"])
        var share = 0.0
        // The first model also causes allocations that the process keeps: the library's buffers and the heap. Their size varies
        // with the number of huge pages.
        for _ in 0..<2 {
            let before = try proportionalBytes()
            let base = try RunModel(configuration, training: true, world: world)
            read(base.model)
            let held = try proportionalBytes() - before
            // The memory that was read for packing has been given back.
            let packed = try packedBytes(base, products, kind)
            let expected = try packed > 0 ? packed : fileBytes(path)
            #expect(expected > 50 << 20)
            share = Double(held) / Double(expected)
        }
        #expect(share > 0.9 && share < 1.3, "\(node.size) ranks hold the weights \(share) times")
        try world.barrier()
    }

    /// Makes this rank read every weight of the forward, so that its mappings count as memory of this rank.
    private func read(_ model: any Backbone) {
        var batch = RaggedBatch()
        batch.append(source: [2, 3, 1], target: [4, 1], task: 0, slot: 0)
        _ = model.engine(nil, workspace: Workspace()).logits(batch)
    }

    /// The memory of all ranks of the node, in which a page that n ranks share counts 1/n in each. Collective.
    private func proportionalBytes() throws -> Int64 {
        try node.barrier()
        let text = try String(contentsOfFile: "/proc/self/smaps_rollup", encoding: .utf8)
        let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("Pss:") })
        let kibibytes = try #require(line.split(separator: " ").dropFirst().first.flatMap { Int64($0) })
        // No rank continues before all have measured what they share.
        return try node.allReduce(.sum, kibibytes) * 1024
    }

    private func fileBytes(_ path: String) throws -> Int64 {
        let attributes = try FileManager.default.attributesOfItem(atPath: path + "/model.safetensors")
        return Int64(try #require(attributes[.size] as? Int))
    }

    private func packedBytes(_ base: RunModel, _ products: ProductBackend, _ kind: String) throws -> Int64 {
        let projections = base.model.groups.map { base.model.weights($0) }
        if kind == "int8" {
            let packs = FrozenMatrix.Packs(forward: .int8, backward: .int8)
            return try projections.reduce(0) { $0 + Int64(try $1.packedBytes(.integers, packs)) }
        }
        guard products != .openblas else { return 0 }
        let library = products == .tiles ? PackingLibrary.tiles : try PackingLibrary.oneDNN()
        let packs = FrozenMatrix.Packs(forward: library.accurate, backward: library.accurate)
        return try (projections + [base.model.output]).reduce(0) {
            $0 + Int64(try $1.packedBytes(library, packs))
        }
    }
}
