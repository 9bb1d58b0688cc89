/// The header of a token cache.
struct TokenCacheHeader: Codable, Equatable {
    var tasks: [Task]

    struct Task: Codable, Equatable {
        let name: String
        let answers: AnswerSpace
        let labelNames: [String]
        let metrics: [Metric]
        let report: TaskReport
        /// The files; origins refer to them by their index here.
        let files: [String]
        var targets: Section
        var splits: [Split]
    }

    struct Split: Codable, Equatable {
        let name: SplitName
        let label: String?
        var sources: Section
        let longestSource: Int
        /// Position of the gold answers: Double, a class or a raw score.
        var gold = 0
        /// Position of the files and lines: two UInt32 each.
        var origins = 0
    }

    /// Lists of token ids: `count + 1` offsets (UInt64) into `tokens` ids (Int32). Positions are byte offsets from the start of
    /// the data.
    struct Section: Codable, Equatable {
        let count: Int
        let tokens: Int
        var offsets = 0
        var ids = 0
    }

    /// Assigns consecutive positions to all sections; returns the size of the data, or nil when it would be more than `limit`
    /// or a count is impossible.
    mutating func placeSections(limit: Int = 1 << 48) -> Int? {
        var end = 0
        func take(_ count: Int, of size: Int) -> Int? {
            guard count >= 0, count <= limit / size, end <= limit else { return nil }
            defer { end = TokenCacheFormat.aligned(end + count * size) }
            return end
        }
        func place(_ section: inout Section) -> Bool {
            guard section.count < limit, let offsets = take(section.count + 1, of: 8),
                let ids = take(section.tokens, of: 4)
            else { return false }
            (section.offsets, section.ids) = (offsets, ids)
            return true
        }
        for task in tasks.indices {
            guard place(&tasks[task].targets) else { return nil }
            for split in tasks[task].splits.indices {
                guard place(&tasks[task].splits[split].sources) else { return nil }
                let count = tasks[task].splits[split].sources.count
                guard let gold = take(count, of: 8), let origins = take(count, of: 8) else { return nil }
                (tasks[task].splits[split].gold, tasks[task].splits[split].origins) = (gold, origins)
            }
        }
        return end
    }
}
