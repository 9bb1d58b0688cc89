import Backbone
import Failures
import Glibc
import Heartbeat
import Tensors

/// Tensors that repeat another one: their names say so, and the numbers must be equal.
extension T5Model {
    /// Refuses tensors whose names say that they repeat another one but whose numbers differ, and an mT5 on which versions
    /// differ.
    static func checkAliases(
        _ configuration: T5Configuration, _ files: TensorCollection, _ sources: [String: WeightSource],
        _ condition: OutputForm.Condition
    ) throws(Failure) {
        for alias in configuration.aliases() {
            guard let source = sources[alias.of], let other = files[alias.name], other.tensor.name != source.tensor.name
            else { continue }
            guard other.tensor.elementType.convertsToFloat else {
                throw Failure(
                    .badData,
                    "\(other.file.path): tensor \(alias.name) is \(other.tensor.elementType.rawValue); only F32, F16 and "
                        + "BF16 weights can be read")
            }
            if haveEqualNumbers(source, other) { continue }
            let versions = "other numbers than \(source.tensor.name), which it should repeat"
            guard alias.name == outputName || source.tensor.name == outputName else {
                throw Failure(
                    .badData,
                    "\(other.file.path): tensor \(alias.name) has \(versions): versions of transformers differ in which of "
                        + "them count; save the model again with one embedding")
            }
            throw Failure(
                .badData,
                "\(other.file.path): tensor \(alias.name) has \(versions) since config.json says tie_word_embeddings true "
                    + "(or nothing) and not scale_decoder_outputs false: versions of transformers differ in which of them "
                    + "counts; for a T5 v1.1, FLAN or mT5 write \"tie_word_embeddings\": false, else save the model again "
                    + "without \(outputName)")
        }
        guard condition == .different, let embedding = sources["shared.weight"], let output = sources[outputName] else {
            return
        }
        if haveEqualNumbers(embedding, output) {
            throw OutputForm.undecided(
                "\(files.directory)/config.json", "has an lm_head.weight that repeats the embedding")
        }
    }

    private static var outputName: String { "lm_head.weight" }

    /// Whether two tensors of the same shape have equal numbers, whatever their types.
    static func haveEqualNumbers(_ first: WeightSource, _ second: WeightSource) -> Bool {
        let (a, b) = unsafe (first.file.bytes(of: first.tensor), second.file.bytes(of: second.tensor))
        defer { withExtendedLifetime((first.file, second.file)) {} }
        let isSameType = first.tensor.elementType == second.tensor.elementType
        let part = 1 << 18
        for start in stride(from: 0, to: first.tensor.count, by: part) {
            Heartbeat.beat()
            let range = start..<min(start + part, first.tensor.count)
            if isSameType {
                let width = first.tensor.elementType.byteCount
                let (offset, size) = (range.lowerBound * width, range.count * width)
                if let a = a.baseAddress, let b = b.baseAddress, unsafe memcmp(a + offset, b + offset, size) == 0 {
                    continue
                }
            }
            // Two zeros may differ in their signs.
            for index in range
            where unsafe element(index, a, first.tensor.elementType) != element(index, b, second.tensor.elementType) {
                return false
            }
        }
        return true
    }

    private static func element(_ index: Int, _ bytes: UnsafeRawBufferPointer, _ type: ElementType) -> Float {
        switch type {
        case .float16:
            unsafe floatFromFloat16(
                UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)))
        case .bfloat16:
            unsafe floatFromBFloat16(
                UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)))
        default:
            unsafe Float(
                bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)))
        }
    }
}
