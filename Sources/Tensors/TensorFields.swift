/// Collects the fields of one tensor while a safetensors header is read; they may come in any order.
struct TensorFields {
    private var elementType: ElementType?
    private var shape: [Int]?
    private var offsets: [Int]?

    /// No tensor may have more dimensions than this.
    private static let maximumDimensions = 64

    /// Reads `{"dtype": ..., "shape": [...], "data_offsets": [begin, end]}`.
    static func read(
        _ name: String, _ reader: inout JSONReader
    ) throws(JSONReader.Problem) -> TensorDescription {
        do throws(JSONReader.Problem) {
            var fields = TensorFields()
            try reader.object { (reader, key) throws(JSONReader.Problem) in try fields.take(key, &reader) }
            return try fields.description(name, &reader)
        } catch {
            throw .init(text: "tensor '\(name.shown)': \(error.text)", offset: error.offset)
        }
    }

    private mutating func take(_ key: String, _ reader: inout JSONReader) throws(JSONReader.Problem) {
        switch key {
        case "dtype" where elementType == nil:
            let text = try reader.name()
            elementType = ElementType(rawValue: text)
            if elementType == nil { throw reader.problem("element type '\(text.shown)' is not known") }
        case "shape" where shape == nil:
            shape = try Self.naturals(&reader, atMost: Self.maximumDimensions, what: "dimensions")
        case "data_offsets" where offsets == nil:
            offsets = try Self.naturals(&reader, atMost: 2, what: "data offsets")
        case "dtype", "shape", "data_offsets":
            throw reader.problem("'\(key)' occurs twice")
        default:
            throw reader.problem("unknown key '\(key.shown)'")
        }
    }

    private func description(
        _ name: String, _ reader: inout JSONReader
    ) throws(JSONReader.Problem) -> TensorDescription {
        guard let elementType else { throw reader.problem("'dtype' is missing") }
        guard let shape else { throw reader.problem("'shape' is missing") }
        guard let offsets, offsets.count == 2 else { throw reader.problem("'data_offsets' must be two numbers") }
        guard offsets[0] <= offsets[1] else {
            throw reader.problem("data offsets [\(offsets[0]), \(offsets[1])] are reversed")
        }
        let range = offsets[0]..<offsets[1]
        guard let needed = elementType.byteCount(of: shape) else {
            throw reader.problem("shape \(shape) is larger than any memory")
        }
        guard needed == range.count else {
            throw reader.problem(
                "shape \(shape) of \(elementType.rawValue) needs \(needed) bytes but its data offsets span "
                    + "\(range.count)")
        }
        return TensorDescription(name: name, elementType: elementType, shape: shape, byteRange: range)
    }

    private static func naturals(
        _ reader: inout JSONReader, atMost limit: Int, what: String
    ) throws(JSONReader.Problem) -> [Int] {
        var values: [Int] = []
        try reader.array { (reader) throws(JSONReader.Problem) in
            guard values.count < limit else { throw reader.problem("more than \(limit) \(what)") }
            values.append(try reader.natural())
        }
        return values
    }
}
