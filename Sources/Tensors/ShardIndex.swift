import Failures

/// `model.safetensors.index.json`: which shard holds which tensor.
struct ShardIndex {
    let path: String
    private(set) var shardByName: [String: String] = [:]

    init(path: String) throws(Failure) {
        try self.init(MappedFile(path: path))
    }

    init(_ file: MappedFile) throws(Failure) {
        path = file.path
        // `bytes` alone does not keep the mapping alive.
        defer { withExtendedLifetime(file) {} }
        var reader = unsafe JSONReader(file.bytes)
        do {
            try read(&reader)
        } catch {
            throw Failure(
                .badData,
                "\(path.shown) is not a valid index of shards (byte \(error.offset): \(error.text)); download it again")
        }
    }

    private mutating func read(_ reader: inout JSONReader) throws(JSONReader.Problem) {
        var shardByName: [String: String]?
        try reader.object { (reader, key) throws(JSONReader.Problem) in
            guard key == "weight_map" else { return try reader.skipValue() }
            guard shardByName == nil else { throw reader.problem("'weight_map' occurs twice") }
            var map: [String: String] = [:]
            try reader.object { (reader, name) throws(JSONReader.Problem) in
                let shard = try reader.name()
                // A path would let a downloaded index reach any file of the user. A link with that name in the directory
                // belongs to the directory's owner: the hub's cache is made of links. The check looks at bytes because Swift
                // takes "/" with a combining mark for another character, while the system still takes it for a separator.
                guard !shard.isEmpty, shard != ".", shard != "..", !shard.utf8.contains(where: "/\\\0".utf8.contains)
                else {
                    throw reader.problem("shard '\(shard.shown)' of tensor '\(name.shown)' is not a plain file name")
                }
                guard map.updateValue(shard, forKey: name) == nil else {
                    throw reader.problem("two entries named '\(name.shown)'")
                }
            }
            shardByName = map
        }
        if reader.peek() != nil { throw reader.problem("text after the object") }
        guard let shardByName else { throw reader.problem("'weight_map' is missing") }
        guard !shardByName.isEmpty else { throw reader.problem("'weight_map' is empty") }
        self.shardByName = shardByName
    }
}
