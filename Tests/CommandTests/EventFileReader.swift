import Foundation
import Testing

/// What a TensorBoard event file shows. This reader has its own code, written from the formats' descriptions: TensorFlow's
/// record files (length, masked CRC-32C of it, message, masked CRC-32C of that) and the protocol buffer `Event`.
struct EventFileReader {
    /// A point of a curve.
    struct Point: Equatable {
        var tag: String
        var step: Int
        var value: Float
    }

    /// A distribution.
    struct Histogram: Equatable {
        var tag: String
        var step: Int
        var least = 0.0
        var most = 0.0
        var count = 0.0
        var sum = 0.0
        var squares = 0.0
        var limits: [Double] = []
        var counts: [Double] = []
    }

    /// A text or the data of the plugin for hyperparameters.
    struct Shown: Equatable {
        var tag: String
        var step: Int
        var text: String
    }

    private(set) var version: String?
    /// Steps of the records that mark the start of a process.
    private(set) var starts: [Int] = []
    private(set) var points: [Point] = []
    private(set) var histograms: [Histogram] = []
    /// Texts in Markdown.
    private(set) var texts: [Shown] = []
    /// `key: value` of the hyperparameters with which a start begins, one a line.
    private(set) var beginnings: [Shown] = []
    /// The status with which the run ended.
    private(set) var endings: [Shown] = []

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
            for case (1, .bytes(let value)) in try Self.fields(summary) { try read(value: value, step) }
        }
    }

    private mutating func read(value: [UInt8], _ step: Int) throws {
        var (tag, plugin) = ("", "")
        var (tensor, content): ([UInt8], [UInt8]) = ([], [])
        var kinds = 0
        for (field, value) in try Self.fields(value) {
            switch (field, value) {
            case (1, .bytes(let text)): tag = String(decoding: text, as: UTF8.self)
            case (2, .number(let bits)):
                points.append(Point(tag: tag, step: step, value: Float(bitPattern: UInt32(truncatingIfNeeded: bits))))
                kinds += 1
            case (5, .bytes(let histogram)):
                histograms.append(try Self.histogram(histogram, tag, step))
                kinds += 1
            case (8, .bytes(let bytes)):
                tensor = bytes
                kinds += 1
            case (9, .bytes(let metadata)):
                for case (1, .bytes(let data)) in try Self.fields(metadata) {
                    plugin = try Self.text(1, in: data)
                    content = try Self.bytes(2, in: data) ?? []
                }
            default: Issue.record("a value has a field \(field)")
            }
        }
        #expect(kinds == 1, "\(tag)")
        switch plugin {
        case "": break
        case "text":
            #expect(
                try Self.fields(tensor).first.map { $0 == (1, .number(7)) } == true, "a text is no tensor of strings")
            texts.append(Shown(tag: tag, step: step, text: try Self.text(8, in: tensor)))
        case "hparams":
            for (field, data) in try Self.fields(content) {
                guard case .bytes(let session) = data else { continue }
                if field == 3 {
                    beginnings.append(Shown(tag: tag, step: step, text: try Self.hyperparameters(session)))
                }
                if field == 4 {
                    let status = try Self.fields(session).first { $0.0 == 1 }.map { "\($0.1)" }
                    endings.append(Shown(tag: tag, step: step, text: try #require(status)))
                }
            }
        default: Issue.record("a value is for the plugin \(plugin)")
        }
    }

    private static func histogram(_ message: [UInt8], _ tag: String, _ step: Int) throws -> Histogram {
        func doubles(_ bytes: [UInt8]) -> [Double] {
            stride(from: 0, to: bytes.count, by: 8).map { Double(bitPattern: number(bytes[$0..<$0 + 8])) }
        }
        var histogram = Histogram(tag: tag, step: step)
        for (field, value) in try fields(message) {
            switch (field, value) {
            case (1, .number(let bits)): histogram.least = Double(bitPattern: bits)
            case (2, .number(let bits)): histogram.most = Double(bitPattern: bits)
            case (3, .number(let bits)): histogram.count = Double(bitPattern: bits)
            case (4, .number(let bits)): histogram.sum = Double(bitPattern: bits)
            case (5, .number(let bits)): histogram.squares = Double(bitPattern: bits)
            case (6, .bytes(let bytes)): histogram.limits = doubles(bytes)
            case (7, .bytes(let bytes)): histogram.counts = doubles(bytes)
            default: Issue.record("a histogram has a field \(field)")
            }
        }
        return histogram
    }

    private static func hyperparameters(_ session: [UInt8]) throws -> String {
        var lines: [String] = []
        for case (1, .bytes(let entry)) in try fields(session) {
            let value = try fields(try #require(try bytes(2, in: entry)))
            try #require(value.count == 1)
            let text =
                switch value[0] {
                case (2, .number(let bits)): "\(Double(bitPattern: bits))"
                case (3, .bytes(let text)): String(decoding: text, as: UTF8.self)
                case (4, .number(let flag)): flag == 1 ? "true" : "false"
                default: "?"
                }
            lines.append("\(try Self.text(1, in: entry)): \(text)")
        }
        return lines.joined(separator: "\n")
    }

    private static func bytes(_ field: Int, in message: [UInt8]) throws -> [UInt8]? {
        for case (field, .bytes(let bytes)) in try fields(message) { return bytes }
        return nil
    }

    private static func text(_ field: Int, in message: [UInt8]) throws -> String {
        String(decoding: try bytes(field, in: message) ?? [], as: UTF8.self)
    }

    // MARK: - Protocol buffers

    private enum Value: Equatable, CustomStringConvertible {
        case number(UInt64)
        case bytes([UInt8])

        var description: String {
            switch self {
            case .number(let number): "\(number)"
            case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
            }
        }
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
