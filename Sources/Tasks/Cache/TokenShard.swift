import Failures
import Tensors

/// The file of one shard: some of the units of a build, tokenised by one rank for the rank that assembles the cache.
///
/// Magic (8 bytes), key and content digest (32 hexadecimal digits each), then words of 32 bits: per unit its number,
/// the truncated sources, the numbers of lists and ids, the lengths and the ids.
enum TokenShard {
    private static let magic = Array("UNOSHARD".utf8)
    private static let prologueSize = 72

    static func path(in directory: String, _ index: Int, of count: Int, key: ContentDigest) -> String {
        "\(directory)/tokens-\(key.hexadecimal).shard-\(index)-of-\(count)"
    }

    static func write(
        _ units: [(number: Int, tokens: TokenCacheBuilder.UnitTokens)], key: ContentDigest, to path: String
    ) throws(Failure) {
        var words: [Int32] = []
        for (number, tokens) in units {
            let lists = tokens.sources
            words += [Int32(number), Int32(tokens.truncated), Int32(lists.lengths.count), Int32(lists.ids.count)]
            words += lists.lengths.map(Int32.init)
            words += lists.ids
        }
        let digest = words.withUnsafeBytes { ContentDigest(of: $0) }
        try DurableFile.replace(path) { (file) throws(Failure) in
            try file.write(magic + Array(key.hexadecimal.utf8) + Array(digest.hexadecimal.utf8))
            try words.withUnsafeBufferPointer { (buffer) throws(Failure) in
                try file.write(UnsafeRawBufferPointer(buffer))
            }
        }
    }

    /// The units of a shard, by number. Throws `inputMissing` for a missing file, `badData` for a damaged one or one
    /// of another build.
    static func read(_ path: String, key: ContentDigest) throws(Failure) -> [Int: TokenCacheBuilder.UnitTokens] {
        let file = try MappedFile(path: path)
        defer { withExtendedLifetime(file) {} }
        let bytes = file.bytes
        guard bytes.count >= prologueSize, bytes.starts(with: magic),
            bytes[8..<40].elementsEqual(key.hexadecimal.utf8)
        else { throw refusal(path, "is none of this build") }
        let content = UnsafeRawBufferPointer(rebasing: bytes[prologueSize...])
        guard content.count % 4 == 0, bytes[40..<72].elementsEqual(ContentDigest(of: content).hexadecimal.utf8) else {
            throw refusal(path, "is damaged")
        }
        let words = (0..<content.count / 4).map {
            Int32(littleEndian: content.loadUnaligned(fromByteOffset: $0 * 4, as: Int32.self))
        }
        var units: [Int: TokenCacheBuilder.UnitTokens] = [:]
        var rest = words[...]
        while !rest.isEmpty {
            let head = Array(rest.prefix(4)).map(Int.init)
            rest = rest.dropFirst(4)
            guard head.count == 4, head[2] >= 0, head[3] >= 0, head[2] + head[3] <= rest.count,
                let lists = TokenLists(lengths: rest.prefix(head[2]), ids: rest.dropFirst(head[2]).prefix(head[3]))
            else { throw refusal(path, "is damaged") }
            units[head[0]] = TokenCacheBuilder.UnitTokens(sources: lists, truncated: head[1])
            rest = rest.dropFirst(head[2] + head[3])
        }
        return units
    }

    private static func refusal(_ path: String, _ problem: String) -> Failure {
        Failure(.badData, "the shard \(path.shown) \(problem); start again with an empty directory for shards")
    }
}
