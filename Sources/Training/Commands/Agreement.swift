import Failures
import MPI
import Tensors

/// The exchange at start-up that makes sure all ranks are about to do the same: a reduction of different buffers is
/// undefined in MPI.
enum Agreement {
    /// Compares what identifies the run; collective. Returns the check word of every reduction; throws `ranksDisagree`
    /// naming the first rank that differs and what differs.
    static func check(_ identity: RunState.Identity, world: Communicator) throws(Failure) -> UInt64 {
        let parts = [
            ("configuration", identity.configuration), ("trainables", identity.layout), ("model", identity.backbone),
            ("tokenised data", identity.data), ("program version", ProgramVersion.current),
        ]
        let words = parts.map { word(ContentDigest(of: $0.1)) }
        let all = try world.allGather(words)
        for (rank, other) in all.enumerated() where other != all[0] {
            let index = words.indices.first { other[$0] != all[0][$0] } ?? 0
            throw Failure(
                .ranksDisagree,
                "rank \(rank) has another \(parts[index].0) than rank 0; start all ranks with the same program, files and "
                    + "arguments")
        }
        return words.reduce(0) { ($0 &* 0x100_0000_01B3) ^ $1 }
    }

    private static func word(_ digest: ContentDigest) -> UInt64 {
        UInt64(digest.hexadecimal.prefix(16), radix: 16) ?? 0
    }
}
