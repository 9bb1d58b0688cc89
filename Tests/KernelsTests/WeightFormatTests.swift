import Failures
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Kernels

/// Every format in which a frozen weight can be stored, and every type that it can have in a file.
@Suite struct WeightFormatTests {
    /// Values that all types represent exactly, and a file with them as F32, F16 and BF16.
    private struct Source {
        let rows = 5
        let columns = 19
        let values: [Float]
        let file: SafetensorsFile
        private let directory: TemporaryDirectory

        /// F16 and BF16 represent these values exactly: whole numbers up to 127, and halves.
        init() throws {
            values = (0..<rows * columns).map { Float($0 * 7 % 128) * ($0 % 3 == 0 ? -0.5 : 1) }
            let singles = values.flatMap { Self.bytes($0.bitPattern) }
            let halves = values.flatMap { Self.bytes(Self.float16($0)) }
            let brains = values.flatMap { Self.bytes(UInt16($0.bitPattern >> 16)) }
            var (header, data): ([String], [UInt8]) = ([], [])
            for (name, content) in [("F32", singles), ("F16", halves), ("BF16", brains)] {
                let range = "[\(data.count),\(data.count + content.count)]"
                header.append("\"\(name)\":{\"dtype\":\"\(name)\",\"shape\":[5,19],\"data_offsets\":\(range)}")
                data += content
            }
            var text = "{" + header.joined(separator: ",") + "}"
            text += String(repeating: " ", count: (8 - text.utf8.count % 8) % 8)
            directory = try TemporaryDirectory()
            let path = directory.file("weights.safetensors")
            let bytes = Self.bytes(UInt64(text.utf8.count)) + Array(text.utf8) + data
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            file = try SafetensorsFile(path: path)
        }

        private static func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
            withUnsafeBytes(of: value.littleEndian) { Array($0) }
        }

        /// The F16 bits of a value that is a normal number in F16; exact.
        private static func float16(_ value: Float) -> UInt16 {
            guard value != 0 else { return value.sign == .minus ? 0x8000 : 0 }
            let bits = value.bitPattern
            let exponent = UInt16(Int(bits >> 23 & 0xFF) - 127 + 15)
            return UInt16(bits >> 31) << 15 | exponent << 10 | UInt16(bits >> 13 & 0x3FF)
        }
    }

    @Test(arguments: WeightFormat.allCases)
    func `a tensor is used where its file has it so, and any other is converted`(format: WeightFormat) throws {
        let source = try Source()
        for type in ["F32", "F16", "BF16"] {
            let tensor = try source.file.tensor(named: type)
            let bytes = format.byteCount(tensor.count)
            let memory = UnsafeMutableRawPointer.allocate(byteCount: bytes + 64, alignment: 64)
            defer { memory.deallocate() }
            memory.initializeMemory(as: UInt8.self, repeating: 0xA5, count: bytes + 64)
            let converted = try FrozenWeight(tensor, of: source.file, as: format, at: memory, fills: true)
            #expect((bytes..<bytes + 64).allSatisfy { memory.load(fromByteOffset: $0, as: UInt8.self) == 0xA5 })
            // The view of the same memory in another rank.
            let seen = try FrozenWeight(tensor, of: source.file, as: format, at: memory, fills: false)
            let mapped = FrozenWeight(mapped: tensor, of: source.file, as: format)
            #expect((mapped != nil) == ((type, format) == ("F32", .float32) || (type, format) == ("BF16", .bfloat16)))
            for weight in [converted, seen, mapped].compactMap(\.self) {
                #expect(weight.format == format && weight.rows == 5 && weight.columns == 19)
                #expect(weight.copied() == source.values, "\(type)")
                #expect((weight.matrix != nil) == (format == .float32))
                #expect(weight.matrix?.copied() ?? source.values == source.values)
            }
        }
    }

    @Test(arguments: WeightFormat.allCases)
    func `rows are gathered and added as they are kept, and products run on their pieces`(format: WeightFormat) throws {
        let source = try Source()
        let tensor = try source.file.tensor(named: "F16")
        let memory = UnsafeMutableRawPointer.allocate(byteCount: format.byteCount(tensor.count), alignment: 64)
        defer { memory.deallocate() }
        let weight = try FrozenWeight(tensor, of: source.file, as: format, at: memory, fills: true)
        func row(_ index: Int) -> [Float] { Array(source.values[index * 19..<(index + 1) * 19]) }
        let gathered = GuardedMatrix(3, 19) { _, _ in .nan }
        [Int32](arrayLiteral: 4, 0, 4).withUnsafeBufferPointer {
            gatherRows(weight, $0.baseAddress!, into: gathered.view)
        }
        #expect(gathered.values == row(4) + row(0) + row(4) && gathered.gapsAreIntact)
        let sum = GuardedMatrix(1, 19) { _, c in Float(c) }
        weight.addRow(2, to: sum.row)
        #expect(sum.values == row(2).enumerated().map { Float($0) + $1 } && sum.gapsAreIntact)
        let products = FrozenProducts()
        var pieces: [Float] = []
        weight.forEachPiece(products) { piece, first in
            #expect(first * 19 == pieces.count)
            pieces += piece.copied()
        }
        #expect(pieces == source.values)
    }
}
