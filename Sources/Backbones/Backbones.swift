public import Backbone
public import Failures
public import Kernels
import T5
public import Tensors

/// The table of backbones: a new one needs a target like `T5` and an entry here (docs/how-to-add-a-backbone.md).
public enum Backbones {
    private static let families: [any BackboneFamily.Type] = [T5Model.self]

    /// Reads the shape of a model directory; the weights need not be there. Throws `inputMissing` or `badData`.
    public static func shape(directory: String) throws(Failure) -> any BackboneShape {
        try family(of: directory).shape(directory: directory)
    }

    /// See `BackboneFamily.check`.
    public static func check(directory: String) throws(Failure) -> ContentDigest {
        try family(of: directory).check(directory: directory)
    }

    /// See `BackboneFamily.fileIdentity`.
    public static func fileIdentity(directory: String) throws(Failure) -> ContentDigest {
        try family(of: directory).fileIdentity(directory: directory)
    }

    /// See `BackboneFamily.open`.
    public static func open(
        directory: String, maximumLength: Int, format: WeightFormat = .float32, packing: WeightPacking? = nil,
        convertedMemory: (Int) throws(Failure) -> any FrozenMemory = { PrivateFrozenMemory(byteCount: $0) }
    ) throws(Failure) -> any Backbone {
        try family(of: directory).open(
            directory: directory, maximumLength: maximumLength, format: format, packing: packing,
            convertedMemory: convertedMemory)
    }

    /// The family that `model_type` in `config.json` names. It is the first family when the file or `model_type` is missing or
    /// cannot be read; that family's reader then says what is wrong. Throws `badData` when no family reads the type.
    private static func family(of directory: String) throws(Failure) -> any BackboneFamily.Type {
        struct Kind: Decodable {
            var model_type: String?
        }
        let path = directory + "/config.json"
        let file = try? BoundedJSON.content(of: path)
        guard let type = file.flatMap({ try? BoundedJSON.decode(Kind.self, from: $0).model_type }) else {
            return families[0]
        }
        if let family = families.first(where: { $0.modelTypes.contains(type) }) { return family }
        let known = families.flatMap { $0.modelTypes }
        throw Failure(
            .badData,
            "\(path): model_type is \(type.shown), but only \(known.dropLast().joined(separator: ", ")) and "
                + "\(known.last ?? "") models can be used")
    }
}
