import Backbone
public import Failures
import T5

/// A randomly initialised model that can be written: in a real shape for benchmarks, or the small one of the embedded example.
public struct NewBackbone: Sendable {
    private var shape: T5Configuration

    /// Names of the shapes.
    public static var presets: [String] { T5Configuration.presets.map(\.name) }

    /// The shape with this name; nil when there is none.
    public init?(preset: String) {
        guard let shape = T5Configuration.presets.first(where: { $0.name == preset })?.configuration else { return nil }
        self.shape = shape
    }

    private init(_ shape: T5Configuration) { self.shape = shape }

    /// T5 v1.0's form, small enough for two cores, without dropout.
    public static var embedded: NewBackbone {
        // t5-mini's form with fewer and narrower blocks.
        var shape = T5Configuration.presets[0].configuration
        shape.vocabularySize = 512
        (shape.modelWidth, shape.headWidth, shape.heads, shape.feedForwardWidth) = (192, 32, 6, 768)
        (shape.encoderBlocks, shape.decoderBlocks) = (2, 2)
        shape.dropoutRate = 0
        return NewBackbone(shape)
    }

    /// Rows of the embedding.
    public var vocabularySize: Int {
        get { shape.vocabularySize }
        set { shape.vocabularySize = newValue }
    }

    /// Number of weights.
    public var weightCount: Int { shape.weightCount }

    /// Writes `config.json` and `model.safetensors` into `directory`, which is created if needed. The weights are a function of
    /// `seed` and the shape alone. They are written last, and each file appears as a whole. Throws `cannotWrite`.
    public func write(directory: String, seed: UInt64) throws(Failure) {
        try shape.writeNewModel(directory: directory, seed: seed)
    }
}
