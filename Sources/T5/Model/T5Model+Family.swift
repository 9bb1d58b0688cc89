import Backbone
import Failures
import Tensors

extension T5Model: BackboneFamily {
    /// See `BackboneFamily`.
    public static var modelTypes: [String] { HuggingFaceConfiguration.modelTypes }

    /// See `BackboneFamily`.
    public static func shape(directory: String) throws(Failure) -> any BackboneShape {
        try T5Configuration(directory: directory)
    }

    /// See `BackboneFamily`.
    public static func open(
        directory: String, maximumLength: Int, format: WeightFormat, packing: WeightPacking?,
        convertedMemory: (Int) throws(Failure) -> any FrozenMemory
    ) throws(Failure) -> any Backbone {
        try load(
            directory: directory, maximumLength: maximumLength, format: format, packing: packing,
            convertedMemory: convertedMemory)
    }
}
