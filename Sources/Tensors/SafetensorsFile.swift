public import Failures

/// A safetensors file mapped into memory. Its header is checked in full before any tensor is read.
///
/// Safe, since it keeps the file mapped and checks every tensor, except for the functions that return or take addresses.
@safe public final class SafetensorsFile: @unchecked Sendable {
    /// The path as given.
    public let path: String
    /// Free-form texts from the header.
    public let metadata: [String: String]
    /// The tensors in the order of their data in the file.
    public let tensors: [TensorDescription]

    private let mapping: MappedFile?
    /// The bytes before the tensors: the header and its length. Valid while the file object lives.
    public let header: UnsafeRawBufferPointer

    private let data: UnsafeRawBufferPointer
    private let indexByName: [String: Int]

    /// Maps and checks a file; `inputMissing` when it cannot be read, `badData` when it is not intact safetensors.
    ///
    /// With `isWatched` the file stays open, so that `change` can tell what happens to it.
    public convenience init(path: String, isWatched: Bool = false) throws(Failure) {
        let mapping = try MappedFile(path: path, isWatched: isWatched)
        try unsafe self.init(bytes: mapping.bytes, mapping: mapping, path: path)
    }

    /// Checks a file that is already in memory; the bytes must outlive the object unless `mapping` owns them.
    init(bytes: UnsafeRawBufferPointer, mapping: MappedFile?, path: String) throws(Failure) {
        let read = try unsafe SafetensorsHeader(bytes, path: path)
        self.path = path
        self.mapping = mapping
        metadata = read.metadata
        tensors = read.tensors
        unsafe header = UnsafeRawBufferPointer(rebasing: bytes[..<read.dataStart])
        unsafe data = UnsafeRawBufferPointer(rebasing: bytes[read.dataStart...])
        var indexByName: [String: Int] = [:]
        indexByName.reserveCapacity(read.tensors.count)
        for (index, tensor) in read.tensors.enumerated() { indexByName[tensor.name] = index }
        self.indexByName = indexByName
    }

    /// The tensor of that name, nil when there is none.
    public subscript(name: String) -> TensorDescription? {
        indexByName[name].map { tensors[$0] }
    }

    /// The tensor of that name; `badData` when there is none.
    public func tensor(named name: String) throws(Failure) -> TensorDescription {
        guard let tensor = self[name] else {
            throw Failure(.badData, "\(path.shown) has no tensor '\(name.shown)'; check that it is the right file")
        }
        return tensor
    }

    /// The elements as stored, in the mapped memory; valid while the file object lives.
    public func bytes(of tensor: TensorDescription) -> UnsafeRawBufferPointer {
        precondition(self[tensor.name] == tensor, "tensor of another file")
        return unsafe UnsafeRawBufferPointer(rebasing: data[tensor.byteRange])
    }

    /// The elements in the mapped memory when they are aligned F32, otherwise nil; valid while the file object lives.
    public func floats(of tensor: TensorDescription) -> UnsafePointer<Float>? {
        guard tensor.elementType == .float32, let start = unsafe bytes(of: tensor).baseAddress,
            UInt(bitPattern: start) % UInt(MemoryLayout<Float>.alignment) == 0
        else { return nil }
        return unsafe start.assumingMemoryBound(to: Float.self)
    }

    /// What happened to the file since it was mapped, worded to follow the path in a sentence; another file at the same path
    /// counts too. Nil when nothing happened. Only for a watched file.
    public var change: String? { mapping?.change(includingReplacement: true) }

    /// Gives back the memory into which the file was read; pages that are used again are mapped again.
    public func releasePages() { mapping?.releasePages() }

    /// The elements in the mapped memory when they are aligned BF16, otherwise nil; valid while the file object lives.
    public func bfloat16s(of tensor: TensorDescription) -> UnsafePointer<UInt16>? {
        guard tensor.elementType == .bfloat16, let start = unsafe bytes(of: tensor).baseAddress,
            UInt(bitPattern: start) % UInt(MemoryLayout<UInt16>.alignment) == 0
        else { return nil }
        return unsafe start.assumingMemoryBound(to: UInt16.self)
    }

    /// Overwrites `tensor.count` elements with those of an F32, F16 or BF16 tensor, rounded to the nearest bfloat16; throws
    /// `badData` for other types.
    public func convert(_ tensor: TensorDescription, into target: UnsafeMutablePointer<UInt16>) throws(Failure) {
        let source = unsafe bytes(of: tensor)
        defer { withExtendedLifetime(self) {} }
        switch tensor.elementType {
        case .float32:
            for index in 0..<tensor.count {
                let bits = unsafe source.loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self)
                unsafe target[index] = bfloat16(nearest: Float(bitPattern: UInt32(littleEndian: bits)))
            }
        case .float16:
            for index in 0..<tensor.count {
                let bits = unsafe source.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
                unsafe target[index] = bfloat16(nearest: floatFromFloat16(UInt16(littleEndian: bits)))
            }
        case .bfloat16:
            unsafe UnsafeMutableRawBufferPointer(start: target, count: source.count).copyMemory(from: source)
        default: throw refuse(tensor)
        }
    }

    private func refuse(_ tensor: TensorDescription) -> Failure {
        Failure(
            .badData,
            "tensor '\(tensor.name.shown)' of \(path.shown) is \(tensor.elementType.rawValue), but F32, F16 or "
                + "BF16 is needed here; save it again as one of these")
    }

    /// Overwrites `tensor.count` floats with the elements of an F32, F16 or BF16 tensor, exactly; throws `badData` for other
    /// types.
    public func convert(_ tensor: TensorDescription, into target: UnsafeMutablePointer<Float>) throws(Failure) {
        let source = unsafe bytes(of: tensor)
        defer { withExtendedLifetime(self) {} }
        switch tensor.elementType {
        case .float32:
            unsafe UnsafeMutableRawBufferPointer(start: target, count: source.count).copyMemory(from: source)
        case .float16:
            for index in 0..<tensor.count {
                let bits = unsafe source.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
                unsafe target[index] = floatFromFloat16(UInt16(littleEndian: bits))
            }
        case .bfloat16:
            for index in 0..<tensor.count {
                let bits = unsafe source.loadUnaligned(fromByteOffset: 2 * index, as: UInt16.self)
                unsafe target[index] = floatFromBFloat16(UInt16(littleEndian: bits))
            }
        default: throw refuse(tensor)
        }
    }

    /// A copy of an F32, F16 or BF16 tensor as floats; `badData` when it is missing or of another type.
    public func readFloats(named name: String) throws(Failure) -> [Float] {
        let tensor = try tensor(named: name)
        var values = [Float](repeating: 0, count: tensor.count)
        let result: Result<Void, Failure> = unsafe values.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return .success(()) }
            return Result { () throws(Failure) in try unsafe convert(tensor, into: base) }
        }
        try result.get()
        return values
    }

    /// A copy of an I32 tensor, or of an I64 one whose values fit; `badData` otherwise.
    public func readInt32(named name: String) throws(Failure) -> [Int32] {
        let tensor = try tensor(named: name)
        let source = unsafe bytes(of: tensor)
        defer { withExtendedLifetime(self) {} }
        switch tensor.elementType {
        case .int32:
            return (0..<tensor.count).map {
                unsafe Int32(littleEndian: source.loadUnaligned(fromByteOffset: 4 * $0, as: Int32.self))
            }
        case .int64:
            var values: [Int32] = []
            values.reserveCapacity(tensor.count)
            for index in 0..<tensor.count {
                let wide = unsafe Int64(littleEndian: source.loadUnaligned(fromByteOffset: 8 * index, as: Int64.self))
                guard let value = Int32(exactly: wide) else {
                    throw Failure(
                        .badData,
                        "element \(index) of tensor '\(name.shown)' of \(path.shown) is \(wide), beyond 32 bits; "
                            + "save it with smaller values")
                }
                values.append(value)
            }
            return values
        default:
            throw Failure(
                .badData,
                "tensor '\(name.shown)' of \(path.shown) is \(tensor.elementType.rawValue), but I32 or I64 is needed "
                    + "here; save it again as one of these")
        }
    }
}
