import Failures
import TestSupport
import Testing

@testable import Tensors

@Suite struct SafetensorsFileTests {
    @Test func `a file written by the reference implementation is read`() throws {
        let file = try SafetensorsFile(path: golden("python-written.safetensors"))
        #expect(file.metadata == ["format": "pt", "note": "a \"quoted\"\nline"])
        #expect(Set(file.tensors.map(\.name)) == ["half.α", "single", "brain", "long", "scalar", "empty"])
        #expect(file.tensors.map(\.byteRange.lowerBound) == file.tensors.map(\.byteRange.lowerBound).sorted())
        let half = try file.readFloats(named: "half.α")
        #expect(half == [0, -0.0, 1, -2.5, 65504, 0x1p-24, 0x1p-14, .infinity])
        #expect(half[1].sign == .minus)
        #expect(try file.readFloats(named: "single") == [1.5, -0.25, 3e38, 0x1p-149, 0.1, -7])
        #expect(try file.readFloats(named: "brain") == [1, -2.5, 3.3895314e38, 0x1p-133])
        #expect(try file.readInt32(named: "long") == [1, -1, .max])
        #expect(try file.readInt32(named: "scalar") == [-5])
        #expect(try file.readFloats(named: "empty") == [])
        #expect(file["single"]?.shape == [2, 3])
        #expect(file["scalar"]?.shape == [])
        #expect(file["scalar"]?.count == 1)
        #expect(file["empty"]?.shape == [0, 4])
        #expect(file["absent"] == nil)
    }

    @Test func `metadata that are null are none`() throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("null.safetensors")
        let out = try DurableFile(creating: path)
        let header = #"{"__metadata__": null ,"f":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#
        try out.write(safetensors(header, data: littleEndian([Float(1.5).bitPattern])))
        _ = try out.finish()
        let file = try SafetensorsFile(path: path)
        #expect(try file.metadata.isEmpty && file.readFloats(named: "f") == [1.5])
    }

    @Test func `aligned floats are given in place`() throws {
        let file = try SafetensorsFile(path: golden("python-written.safetensors"))
        let tensor = try file.tensor(named: "single")
        let pointer = try #require(file.floats(of: tensor))
        #expect(UnsafeRawPointer(pointer) == file.bytes(of: tensor).baseAddress)
        withExtendedLifetime(file) { #expect(pointer[4] == 0.1) }
        let half = try file.tensor(named: "half.α")
        #expect(file.floats(of: half) == nil)
    }

    @Test func `floats out of alignment are copied instead`() throws {
        let header =
            #"{"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"#
            + #""f":{"dtype":"F32","shape":[2],"data_offsets":[1,9]}}"#
        let padded = header + String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
        let bytes = safetensors(padded, data: [7] + littleEndian([Float(1.5).bitPattern, Float(-2).bitPattern]))
        let directory = try TemporaryDirectory()
        let path = directory.file("odd.safetensors")
        let out = try DurableFile(creating: path)
        try out.write(bytes)
        _ = try out.finish()
        let file = try SafetensorsFile(path: path)
        let tensor = try file.tensor(named: "f")
        #expect(file.floats(of: tensor) == nil)
        #expect(try file.readFloats(named: "f") == [1.5, -2])
    }

    @Test func `every half-precision number becomes the float of its value`() {
        for bits in UInt16.min...UInt16.max {
            let expected = Float(Float16(bitPattern: bits))
            let value = floatFromFloat16(bits)
            if expected.isNaN {
                #expect(value.isNaN)
            } else if value.bitPattern != expected.bitPattern {
                Issue.record("\(bits): \(value) in place of \(expected)")
            }
            #expect(floatFromBFloat16(bits).bitPattern == UInt32(bits) << 16)
        }
    }

    @Test func `entries out of order are given in the order of their data`() throws {
        let header =
            #"{"z":{"data_offsets":[4,6],"dtype":"I16","shape":[1]},"#
            + #""a":{"shape":[],"dtype":"I32","data_offsets":[0,4]}} "#
        try withSafetensors(safetensors(header, data: [1, 0, 0, 0, 2, 0])) { file in
            #expect(file.tensors.map(\.name) == ["a", "z"])
            let tensor = try file.tensor(named: "z")
            #expect(Array(file.bytes(of: tensor)) == [2, 0])
        }
    }

    @Test func `a file without tensors is valid`() throws {
        try withSafetensors(safetensors("{}")) { #expect($0.tensors.isEmpty) }
    }

    @Test func `escapes in names are resolved`() throws {
        let header = #"{"\u0041\ud83d\ude00\/\t\"":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#
        try withSafetensors(safetensors(header, data: [1])) { #expect($0["A😀/\t\""] != nil) }
    }

    @Test func `asking for what is not there names file and tensor`() throws {
        let file = try SafetensorsFile(path: golden("python-written.safetensors"))
        let absent = failure { _ = try file.readFloats(named: "absent") }
        #expect(absent?.code == .badData)
        #expect(absent?.message.contains("'absent'") == true)
        let integers = failure { _ = try file.readFloats(named: "long") }
        #expect(integers?.message.contains("'long'") == true)
        #expect(integers?.message.contains("is I64, but F32, F16 or BF16 is needed") == true)
        let floats = failure { _ = try file.readInt32(named: "single") }
        #expect(floats?.message.contains("is F32, but I32 or I64 is needed") == true)
    }

    @Test func `a long integer beyond 32 bits is refused`() throws {
        let header = #"{"n":{"dtype":"I64","shape":[2],"data_offsets":[0,16]}}"#
        try withSafetensors(safetensors(header, data: littleEndian([UInt64(3), UInt64(1) << 31]))) { file in
            let refusal = failure { _ = try file.readInt32(named: "n") }
            #expect(refusal?.message.contains("element 1 of tensor 'n'") == true)
        }
    }
}
