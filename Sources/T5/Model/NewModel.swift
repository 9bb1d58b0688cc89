public import Failures
import Foundation
import Randomness
import Tensors

extension T5Configuration {
    /// Shapes that `new-model` can make, by name.
    public static let presets: [(name: String, configuration: T5Configuration)] = {
        func shape(
            _ d: Int, _ dff: Int, _ blocks: Int, _ heads: Int, gated: Bool = false
        ) -> T5Configuration {
            T5Configuration(
                vocabularySize: 32128, modelWidth: d, headWidth: 64, feedForwardWidth: dff, encoderBlocks: blocks,
                decoderBlocks: blocks, heads: heads, positionBuckets: 32, positionMaxDistance: 128, dropoutRate: 0.1,
                normEpsilon: 1e-6, feedForward: gated ? .gatedGelu : .relu,
                outputMatrix: gated ? .own : .embedding, scalesOutput: !gated,
                decoderStartToken: 0, padToken: 0, endToken: 1)
        }
        return [
            ("t5-mini", shape(384, 1536, 4, 8)),
            ("t5-small", shape(512, 2048, 6, 8)),
            ("t5-base", shape(768, 3072, 12, 12)),
            ("t5-v1_1-small", shape(512, 1024, 8, 6, gated: true)),
            ("t5-v1_1-base", shape(768, 2048, 12, 12, gated: true)),
            ("flan-t5-small", shape(512, 1024, 8, 6, gated: true)),
            ("flan-t5-base", shape(768, 2048, 12, 12, gated: true)),
        ]
    }()

    /// The standard deviation with which transformers initialises a tensor of T5 at factor 1; nil for the norms, which start at
    /// 1.
    func initialDeviation(_ name: String) -> Double? {
        if name.hasSuffix("layer_norm.weight") { return nil }
        if name == "shared.weight" || name == "lm_head.weight" { return 1 }
        let d = Double(modelWidth)
        switch name.split(separator: ".").dropLast().last {
        case "q": return 1 / (d * Double(headWidth)).squareRoot()
        case "o": return 1 / Double(innerWidth).squareRoot()
        case "wo": return 1 / Double(feedForwardWidth).squareRoot()
        default: return 1 / d.squareRoot()
        }
    }

    /// Writes a randomly initialised model in Hugging Face layout (`config.json`, `model.safetensors`) into `directory`, which
    /// is created if needed.
    ///
    /// The weights are a function of `seed` and the shape alone. They are written last, and each file appears as a whole.
    /// Throws `cannotWrite`.
    public func writeNewModel(directory: String, seed: UInt64) throws(Failure) {
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw Failure(.cannotWrite, "\(directory) cannot be created; choose another --out")
        }
        var layout = ParameterLayout()
        for (name, shape) in tensorShapes() {
            layout.append(name, shape)
        }
        let weights = Arena(count: layout.count)
        for (index, entry) in layout.entries.enumerated() {
            let values = unsafe UnsafeMutableBufferPointer(start: weights.base + entry.offset, count: entry.count)
            guard let deviation = initialDeviation(entry.name) else {
                unsafe values.update(repeating: 1)
                continue
            }
            var stream = RandomStream(seed: seed, purpose: .modelInitialisation, a: UInt32(index))
            for i in values.indices {
                unsafe values[i] = Float(stream.normal() * deviation)
            }
        }
        let json: Data
        do {
            json = try self.json()
        } catch {
            throw Failure(
                .internal, "the configuration of a new model cannot be written as JSON (\(error)); report this")
        }
        try DurableFile.replace(directory + "/config.json") { file throws(Failure) in
            try file.write([UInt8](json))
        }
        var writer = SafetensorsWriter(metadata: ["format": "pt"])
        try writer.add(layout, weights.readOnly)
        let tensors = writer
        try DurableFile.replace(directory + "/model.safetensors") { file throws(Failure) in
            try tensors.write(to: file)
        }
    }
}
