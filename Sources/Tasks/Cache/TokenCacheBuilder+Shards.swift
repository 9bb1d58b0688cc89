import Failures
import Glibc
import Tensors

/// Building with several processes, where each may use few cores: every one writes a shard, one assembles.
extension TokenCacheBuilder {
    /// Tokenises share `index` of `count` and writes it into `directory`, which belongs to this job alone.
    ///
    /// All processes need builders of the same inputs; their keys are equal then. Throws `cannotWrite`.
    public func writeShard(_ index: Int, of count: Int, in directory: String) throws(Failure) {
        precondition(count > 0 && (0..<count).contains(index), "no such shard")
        let units = self.units
        // Neighbouring units cost about the same, so taking every count-th one balances the shards.
        let own = Array(stride(from: index, to: units.count, by: count))
        let tokens = try parallelMap(own.count, threads: threads) { (place) throws(Failure) in
            try tokenise(units[own[place]])
        }
        try TokenShard.write(
            Array(zip(own, tokens)), key: key, to: TokenShard.path(in: directory, index, of: count, key: key))
    }

    /// Writes the cache from all shards and removes them; the bytes are those of `build(at:)`.
    ///
    /// Call it after every process has written its shard. Throws `inputMissing` for a missing shard, `badData` for a
    /// damaged one or one of other inputs, `cannotWrite`.
    public func assemble(shards count: Int, in directory: String, at path: String) throws(Failure) {
        let units = self.units
        let paths = (0..<count).map { TokenShard.path(in: directory, $0, of: count, key: key) }
        var tokensOfUnit: [Int: UnitTokens] = [:]
        for shard in paths { tokensOfUnit.merge(try TokenShard.read(shard, key: key)) { $1 } }
        var tokens: [UnitTokens] = []
        for (number, unit) in units.enumerated() {
            guard let found = tokensOfUnit[number], found.sources.lengths.count == unit.range.count else {
                throw Failure(
                    .badData,
                    "the shards in \(directory.shown) lack a part of task \"\(tasks[unit.task].definition.name)\"; "
                        + "start again with an empty directory for shards")
            }
            tokens.append(found)
        }
        try write(TokenCacheContent(self, units, tokens), to: path)
        for shard in paths { unlink(shard) }
    }
}
