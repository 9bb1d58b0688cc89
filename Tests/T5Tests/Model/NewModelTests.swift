import Backbone
import Failures
import Foundation
import Kernels
import Tensors
import TestSupport
import Testing

@testable import T5

@Suite struct NewModelTests {
    private func bytes(_ configuration: T5Configuration, seed: UInt64) throws -> (weights: Data, settings: Data) {
        let directory = try TemporaryDirectory()
        try configuration.writeNewModel(directory: directory.file("sub/model"), seed: seed)
        func read(_ name: String) throws -> Data {
            try Data(contentsOf: URL(fileURLWithPath: directory.file("sub/model/\(name)")))
        }
        return (try read("model.safetensors"), try read("config.json"))
    }

    @Test(arguments: TinyT5.Family.allCases)
    func `a new model is a function of its seed and shape`(family: TinyT5.Family) throws {
        let configuration = TinyT5.configuration(family)
        let first = try bytes(configuration, seed: 1)
        #expect(try bytes(configuration, seed: 1) == first)
        #expect(try bytes(configuration, seed: 2).weights != first.weights)
    }

    @Test func `tensors have the deviations that transformers gives them`() throws {
        var shape = TinyT5.configuration(.v11, encoderBlocks: 1, decoderBlocks: 1)
        shape.vocabularySize = 200
        shape.modelWidth = 48
        shape.headWidth = 20
        shape.feedForwardWidth = 100
        shape.heads = 3
        shape.positionBuckets = 64
        shape.positionMaxDistance = 128
        let directory = try TemporaryDirectory()
        try shape.writeNewModel(directory: directory.path, seed: 4)
        let model = try T5Model.load(directory: directory.path, maximumLength: 16)
        func deviation(_ values: [Float]) -> Double {
            (values.reduce(0) { $0 + Double($1) * Double($1) } / Double(values.count)).squareRoot()
        }
        func expect(_ values: [Float], _ expected: Double, _ name: String) {
            // Four standard deviations of an estimate from this many normally distributed numbers.
            let bound = 4 * expected / (2 * Double(values.count)).squareRoot()
            #expect(abs(deviation(values) - expected) <= bound, "\(name)")
        }
        expect(model.embedding.copied(), 1, "embedding")
        expect(model.output.parts[0].copied(), 1, "output")
        let leaves: [String: Double] = [
            "q": 48 * 20, "k": 48, "v": 48, "o": 60, "wi_0": 48, "wi_1": 48, "wo": 100,
        ]
        for group in model.groups {
            for (projection, weight) in zip(group.projections, model.weights(group).parts) {
                expect(weight.copied(), 1 / (leaves[projection.leaf] ?? 0).squareRoot(), projection.name)
            }
        }
        #expect(
            (0..<48).allSatisfy {
                model.norm(Sublayer(.encoder, 0, .feedForward))[0, $0] == 1 && model.finalNorm(.decoder)[0, $0] == 1
            })
    }

    @Test func `a directory that cannot be made is refused`() throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("file", "") + "/model"
        let failure = try #require(throws: Failure.self) {
            try TinyT5.configuration(.v10).writeNewModel(directory: path, seed: 1)
        }
        #expect(failure.code == .cannotWrite && failure.message.contains(path))
    }
}
