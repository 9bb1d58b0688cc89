import Failures

@testable import Tensors

func parseSafetensors(_ bytes: UnsafeRawBufferPointer) {
    guard let file = try? SafetensorsFile(bytes: bytes, mapping: nil, path: "f") else { return }
    var end = 0
    for tensor in file.tensors {
        hold(tensor.byteRange.lowerBound == end, "tensors follow one another")
        end = tensor.byteRange.upperBound
        hold(tensor.shape.reduce(1, *) == tensor.count, "the shape is that of the elements")
        var sum: UInt64 = 0
        for byte in file.bytes(of: tensor) { sum = sum &* 31 &+ UInt64(byte) }
        if let floats = try? file.readFloats(named: tensor.name) {
            hold(floats.count == tensor.count, "as many floats as elements")
        }
        if let numbers = try? file.readInt32(named: tensor.name) {
            hold(numbers.count == tensor.count, "as many numbers as elements")
        }
    }
    let data = bytes.count - 8 - Int(UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self)))
    hold(end == data, "tensors fill the data")
}

func parseShardIndex(_ bytes: UnsafeRawBufferPointer) {
    guard let index = try? ShardIndex(MappedFile(copying: bytes, path: "i")) else { return }
    for shard in index.shardByName.values {
        hold(!shard.isEmpty && !shard.utf8.contains(0), "a shard has a name")
        hold(!shard.utf8.contains(UInt8(ascii: "/")) && shard != "." && shard != "..", "a shard is in the directory")
    }
}
