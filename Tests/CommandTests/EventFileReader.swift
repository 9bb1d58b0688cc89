import Foundation
import Testing

/// The points of a TensorBoard event file. This reader has its own code, written from the formats' descriptions: TensorFlow's
/// record files (length, masked CRC-32C of it, message, masked CRC-32C of that) and the protocol buffer `Event`.
struct EventFileReader {
    /// A point of a curve.
    struct Point: Equatable {
        var tag: String
        var step: Int
        var value: Float
    }

    private(set) var version: String?
    /// Steps of the records that mark the start of a process.
    private(set) var starts: [Int] = []
    private(set) var points: [Point] = []

    init(path: String) throws {
        var rest = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))[...]
        while !rest.isEmpty {
            let length = Array(rest.prefix(8))
            let count = Int(Self.number(length))
            try #require(rest.count >= 16 + count, "the file ends within a record")
            let message = Array(rest.dropFirst(12).prefix(count))
            #expect(Self.number(rest.dropFirst(8).prefix(4)) == UInt64(Self.maskedChecksum(length)))
            #expect(Self.number(rest.dropFirst(12 + count).prefix(4)) == UInt64(Self.maskedChecksum(message)))
            rest = rest.dropFirst(16 + count)
            try read(event: message)
        }
    }

    private mutating func read(event: [UInt8]) throws {
        var (step, summaries) = (0, [[UInt8]]())
        var isStart = false
        for (field, value) in try Self.fields(event) {
            switch (field, value) {
            case (1, .number(let bits)): #expect(abs(Double(bitPattern: bits) - Date().timeIntervalSince1970) < 600)
            case (2, .number(let number)): step = Int(number)
            case (3, .bytes(let text)): version = String(decoding: text, as: UTF8.self)
            case (5, .bytes(let summary)): summaries.append(summary)
            case (7, .bytes(let session)):
                let state = try Self.fields(session)
                isStart = state.count == 1 && state[0].0 == 1 && state[0].1 == .number(1)
            default: Issue.record("an event has a field \(field)")
            }
        }
        if isStart { starts.append(step) }
        for summary in summaries {
            for case (1, .bytes(let value)) in try Self.fields(summary) {
                var point = Point(tag: "", step: step, value: .nan)
                for (field, content) in try Self.fields(value) {
                    if case (1, .bytes(let tag)) = (field, content) { point.tag = String(decoding: tag, as: UTF8.self) }
                    if case (2, .number(let bits)) = (field, content) {
                        point.value = Float(bitPattern: UInt32(truncatingIfNeeded: bits))
                    }
                }
                points.append(point)
            }
        }
    }

    // MARK: - Protocol buffers

    private enum Value: Equatable {
        case number(UInt64)
        case bytes([UInt8])
    }

    private static func fields(_ message: [UInt8]) throws -> [(Int, Value)] {
        var rest = message[...]
        func variable() throws -> UInt64 {
            var (value, shift) = (UInt64(0), UInt64(0))
            while true {
                let first = rest.popFirst()
                let byte = try #require(first)
                value |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { return value }
                shift += 7
            }
        }
        func take(_ count: Int) throws -> [UInt8] {
            try #require(rest.count >= count, "a message ends within a field")
            defer { rest = rest.dropFirst(count) }
            return Array(rest.prefix(count))
        }
        var fields: [(Int, Value)] = []
        while !rest.isEmpty {
            let key = try variable()
            switch key & 7 {
            case 0: fields.append((Int(key >> 3), .number(try variable())))
            case 1: fields.append((Int(key >> 3), .number(number(try take(8)))))
            case 2: fields.append((Int(key >> 3), .bytes(try take(Int(variable())))))
            case 5: fields.append((Int(key >> 3), .number(number(try take(4)))))
            default: Issue.record("a field has wire type \(key & 7)")
            }
        }
        return fields
    }

    // MARK: - Records

    private static func number(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.enumerated().reduce(0) { $0 | UInt64($1.element) << (8 * UInt64($1.offset)) }
    }

    /// CRC-32C bit by bit, as a division in the ring of polynomials; then TensorFlow's mask.
    private static func maskedChecksum(_ bytes: [UInt8]) -> UInt32 {
        var remainder: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            for bit in 0..<8 {
                let carry = remainder & 1 != UInt32(byte >> UInt8(bit) & 1)
                remainder >>= 1
                // The bits of x^32 + x^28 + x^27 + ... reversed.
                if carry { remainder ^= 0x82F6_3B78 }
            }
        }
        let checksum = remainder ^ 0xFFFF_FFFF
        return ((checksum >> 15) | (checksum << 17)) &+ 0xA282_EAD8
    }
}
