public import Failures

/// Collects tensors and writes them as one safetensors file.
///
/// The same tensors in the same order give the same bytes. Header and data have the tensors in the order in which they were
/// added; metadata is sorted by key. The header is padded with spaces to a multiple of 8 bytes, so every tensor is aligned in a
/// mapped file.
public struct SafetensorsWriter {
    /// Safe: whoever added memory promised that it stays (`add(_:_:memory:)`).
    @safe private enum Content {
        case floats([Float])
        case integers([Int32])
        case arena(ReadOnlyArena, Range<Int>)
        case memory(UnsafeBufferPointer<Float>)
    }

    private var metadata: [String: String]
    private var contents: [(description: TensorDescription, content: Content)] = []
    private var names: Set<String> = []
    private var end = 0

    /// Starts a file without tensors.
    public init(metadata: [String: String] = [:]) {
        self.metadata = metadata
    }

    /// Appends an F32 tensor; `count` must match `shape` and the name must be new (else `internal`).
    public mutating func add(_ name: String, _ shape: [Int], _ values: [Float]) throws(Failure) {
        try add(name, shape, .float32, count: values.count, .floats(values))
    }

    /// Appends an I32 tensor; `count` must match `shape` and the name must be new (else `internal`).
    public mutating func add(_ name: String, _ shape: [Int], _ values: [Int32]) throws(Failure) {
        try add(name, shape, .int32, count: values.count, .integers(values))
    }

    /// Appends an F32 tensor. Its elements are read from `memory` during `write`; they must stay there until then.
    public mutating func add(_ name: String, _ shape: [Int], memory: UnsafeBufferPointer<Float>) throws(Failure) {
        try unsafe add(name, shape, .float32, count: memory.count, .memory(memory))
    }

    /// Appends every tensor of a layout as `prefix` + name. The elements are read from the arena during `write`.
    public mutating func add(_ layout: ParameterLayout, _ arena: ReadOnlyArena, prefix: String = "") throws(Failure) {
        guard layout.count == arena.count else {
            throw Failure(
                .internal, "an arena of \(arena.count) elements was given for a layout of \(layout.count); report this")
        }
        for entry in layout.entries {
            try add(prefix + entry.name, entry.shape, .float32, count: entry.count, .arena(arena, entry.range))
        }
    }

    private mutating func add(
        _ name: String, _ shape: [Int], _ elementType: ElementType, count: Int, _ content: Content
    ) throws(Failure) {
        guard name != "__metadata__", names.insert(name).inserted else {
            throw Failure(.internal, "a tensor cannot be named '\(name.shown)' twice or like the metadata; report this")
        }
        guard shape.allSatisfy({ $0 >= 0 }), let bytes = elementType.byteCount(of: shape),
            bytes == count * elementType.byteCount
        else {
            throw Failure(.internal, "tensor '\(name.shown)' has \(count) elements for shape \(shape); report this")
        }
        let description = TensorDescription(
            name: name, elementType: elementType, shape: shape, byteRange: end..<end + bytes)
        contents.append((description, content))
        end += bytes
    }

    /// Writes the file to a new or existing path and waits until it is on the disk; throws `cannotWrite` when that fails.
    @discardableResult
    public func write(to path: String) throws(Failure) -> DurableFile.Summary {
        let file = try DurableFile(creating: path)
        try write(to: file)
        return try file.finish()
    }

    /// Appends header and tensors to an open file.
    public func write(to file: DurableFile) throws(Failure) {
        let header = header()
        try file.write((0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) })
        try file.write(header)
        for (_, content) in contents {
            switch content {
            case .floats(let values): try Self.write(values, to: file)
            case .integers(let values): try Self.write(values, to: file)
            case .memory(let memory): try unsafe file.write(UnsafeRawBufferPointer(memory))
            case .arena(let arena, let range):
                try unsafe file.write(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: arena.elements[range])))
            }
        }
    }

    private static func write<T: BitwiseCopyable>(_ values: [T], to file: DurableFile) throws(Failure) {
        try unsafe values.withUnsafeBufferPointer { (buffer) throws(Failure) in
            try unsafe file.write(UnsafeRawBufferPointer(buffer))
        }
    }

    private func header() -> [UInt8] {
        var parts: [String] = []
        if !metadata.isEmpty {
            let entries = metadata.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
            parts.append("\"__metadata__\":{\(entries.joined(separator: ","))}")
        }
        for (tensor, _) in contents {
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            let offsets = "\(tensor.byteRange.lowerBound),\(tensor.byteRange.upperBound)"
            parts.append(
                "\(quoted(tensor.name)):{\"dtype\":\"\(tensor.elementType.rawValue)\",\"shape\":[\(shape)],"
                    + "\"data_offsets\":[\(offsets)]}")
        }
        var bytes = Array("{\(parts.joined(separator: ","))}".utf8)
        bytes.append(contentsOf: repeatElement(0x20, count: (8 - bytes.count % 8) % 8))
        return bytes
    }

    /// The text as a JSON string.
    private func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\u{0}"..<" ":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
