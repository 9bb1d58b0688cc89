import CMPI
public import Failures

extension Communicator {
    /// Overwrites `bytes` on every rank with those of `root`; collective. The length must be the same on all ranks.
    public func broadcast(_ bytes: UnsafeMutableRawBufferPointer, from root: Int) throws(Failure) {
        for part in parts(of: bytes.count) {
            try unsafe check(
                cmpi_broadcast(handle, bytes.baseAddress! + part.lowerBound, Int32(part.count), Int32(root)),
                "broadcast \(bytes.count) bytes from rank \(root)")
        }
    }

    /// Returns the root's bytes on every rank; collective. The `bytes` of the other ranks are ignored.
    public func broadcast(_ bytes: [UInt8], from root: Int) throws(Failure) -> [UInt8] {
        var count = UInt64(bytes.count)
        try unsafe check(cmpi_broadcast(handle, &count, 8, Int32(root)), "broadcast a length from rank \(root)")
        var received = rank == root ? bytes : [UInt8](repeating: 0, count: Int(count))
        try unsafe received.withUnsafeMutableBufferPointer { (buffer) throws(Failure) in
            try unsafe broadcast(UnsafeMutableRawBufferPointer(buffer), from: root)
        }
        return received
    }

    /// Returns the words of every rank, in the order of ranks, on every rank; collective.
    ///
    /// - Throws: `.ranksDisagree` on every rank when their numbers of words differ.
    public func allGather(_ words: [UInt64]) throws(Failure) -> [[UInt64]] {
        let counts = [Int64(words.count), -Int64(words.count)]
        var extremes = counts
        try unsafe extremes.withUnsafeMutableBufferPointer { (buffer) throws(Failure) in
            try unsafe allReduce(.maximum, buffer)
        }
        guard extremes[0] == -extremes[1] else {
            throw Failure(
                .ranksDisagree,
                "ranks disagree on the length of an exchange: from \(-extremes[1]) to \(extremes[0]) words, "
                    + "\(words.count) on rank \(rank); start the same program with the same input on every rank")
        }
        guard words.count * 8 <= largestCount else {
            throw Failure(.internal, "an exchange of \(words.count) words is too long for one MPI call")
        }
        var received = [UInt64](repeating: 0, count: words.count * size)
        try unsafe check(
            cmpi_allgather(handle, words, &received, Int32(words.count * 8)), "gather \(words.count) words")
        return (0..<size).map { Array(received[$0 * words.count..<($0 + 1) * words.count]) }
    }

    /// Returns the text of every rank (at most its first 64 bytes), in the order of ranks, on every rank; collective.
    public func allGather(_ text: String) throws(Failure) -> [String] {
        var bytes = Array(text.utf8.prefix(64))
        bytes += [UInt8](repeating: 0, count: 64 - bytes.count)
        let words = unsafe bytes.withUnsafeBytes { unsafe Array($0.bindMemory(to: UInt64.self)) }
        return try allGather(words).map { words in
            unsafe words.withUnsafeBytes { unsafe String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
    }

    /// Returns the bytes of every rank, in the order of ranks, on the root; on other ranks an empty list. Collective; each rank
    /// may give any number of bytes.
    public func gather(_ bytes: [UInt8], to root: Int) throws(Failure) -> [[UInt8]] {
        let counts = try allGather([UInt64(bytes.count)]).map { Int($0[0]) }
        var gathered = [[UInt8]](repeating: [], count: rank == root ? size : 0)
        // In one round every rank gives so few bytes that even their sum fits into MPI's count.
        let share = Swift.max(1, largestCount / size)
        for start in stride(from: 0, to: counts.max() ?? 0, by: share) {
            let sizes = counts.map { Int32(Swift.max(0, Swift.min(share, $0 - start))) }
            var offsets = [Int32](repeating: 0, count: size)
            for rank in 1..<Swift.max(1, size) { offsets[rank] = offsets[rank - 1] + sizes[rank - 1] }
            let total = rank == root ? Int(offsets[size - 1]) + Int(sizes[size - 1]) : 0
            var received = [UInt8](repeating: 0, count: total)
            try unsafe bytes.withUnsafeBufferPointer { (own) throws(Failure) in
                let first = unsafe own.baseAddress.map { unsafe $0 + Swift.min(start, own.count) }
                try unsafe check(
                    cmpi_gather(handle, first, sizes[rank], &received, sizes, offsets, Int32(root)),
                    "gather bytes on rank \(root)")
            }
            for rank in gathered.indices {
                gathered[rank] += received[Int(offsets[rank])..<Int(offsets[rank] + sizes[rank])]
            }
        }
        return gathered
    }
}
