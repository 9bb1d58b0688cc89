public import Backbone
public import Failures
public import Kernels
public import Tensors

extension T5Model: Backbone {
    /// See `Backbone`.
    public var shape: any BackboneShape { configuration }

    /// See `Backbone`.
    public var unpacked: any Backbone { withoutPacks() }

    /// See `Backbone`.
    public func computing(with trained: [String: Matrix], of owner: ReadOnlyArena) -> any Backbone {
        with(trained, of: owner)
    }

    /// See `Backbone`.
    public func backwardDepth(_ adaptation: (any Adaptation)?) -> BackwardDepth {
        T5Gradients(configuration, adaptation).depth(groups, adaptation)
    }

    /// See `Backbone`.
    public func engine(_ adaptation: (any Adaptation)?, workspace: Workspace) -> any BackboneEngine {
        T5Engine(model: self, adaptation: adaptation, workspace: workspace)
    }
}

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
