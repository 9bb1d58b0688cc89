import Failures
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Checkpoints

/// A run directory with a prepared store; removed afterwards.
struct Run {
    let root: TemporaryDirectory
    let store: CheckpointStore

    init() throws {
        root = try TemporaryDirectory()
        store = CheckpointStore(runDirectory: root.path)
        try store.prepare()
    }

    /// The names in `checkpoints`, including hidden files, sorted.
    func names() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: store.directory).sorted() }

    func file(_ step: Int, _ name: String) -> String { store.path(step: step) + "/" + name }

    func read(_ path: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path)) }

    func write(_ path: String, _ data: Data) throws { try data.write(to: URL(fileURLWithPath: path)) }
}

let layout: ParameterLayout = {
    var layout = ParameterLayout()
    layout.append("encoder.q.lora_A.weight", [2, 5])
    layout.append("encoder.q.lora_B.weight", [5, 2])
    layout.append("scale", [3])
    return layout
}()

/// An arena whose values depend on the seed and the position.
func arena(_ layout: ParameterLayout, seed: Int) -> Arena {
    let arena = Arena(count: layout.count)
    for index in 0..<layout.count { arena.base[index] = Float(seed) + Float(index) * 0.1 }
    return arena
}

func contents(step: Int, variant: Int = 0, layout: ParameterLayout = layout) -> CheckpointContents {
    CheckpointContents(
        step: step, adapterConfiguration: Data(#"{"method":"unolora"}"#.utf8),
        state: Data(#"{"step":\#(step),"variant":\#(variant)}"#.utf8), layout: layout,
        weights: arena(layout, seed: step + variant).readOnly, firstMoments: arena(layout, seed: -step).readOnly,
        secondMoments: arena(layout, seed: 2 * step).readOnly, dependsOn: ["blas": "OpenBLAS 0.3.21", "mpi": "4.1.4"])
}

/// Returns the failure that `body` throws.
func failure(_ body: () throws -> Void, sourceLocation: SourceLocation = #_sourceLocation) -> Failure? {
    do {
        try body()
        Issue.record("no failure", sourceLocation: sourceLocation)
    } catch let failure as Failure {
        return failure
    } catch {
        Issue.record("failure of another type: \(error)", sourceLocation: sourceLocation)
    }
    return nil
}

/// Checks that a checkpoint verifies and contains what `contents(step:variant:)` gives, to the bit.
func expectIntact(
    _ run: CheckpointStore, step: Int, variant: Int = 0, layout: ParameterLayout = layout,
    sourceLocation: SourceLocation = #_sourceLocation
) throws {
    let checkpoint = try run.open(.step(step))
    let expected = contents(step: step, variant: variant, layout: layout)
    let loaded = (0..<3).map { _ in Arena(count: layout.count) }
    try checkpoint.loadWeights(layout, into: loaded[0])
    try checkpoint.loadMoments(layout, first: loaded[1], second: loaded[2])
    for (arena, wanted) in zip(loaded, [expected.weights, expected.firstMoments, expected.secondMoments]) {
        #expect(Array(arena.elements) == Array(wanted.elements), sourceLocation: sourceLocation)
    }
    #expect(try checkpoint.state() == expected.state, sourceLocation: sourceLocation)
    #expect(try checkpoint.adapterConfiguration() == expected.adapterConfiguration, sourceLocation: sourceLocation)
    #expect(checkpoint.manifest.dependsOn == expected.dependsOn, sourceLocation: sourceLocation)
    #expect(checkpoint.step == step, sourceLocation: sourceLocation)
}
