/// The header of a token cache.
struct TokenCacheHeader: Codable {
    var tasks: [Task]

    struct Task: Codable {
        let name: String
        let answers: AnswerSpace
        let labelNames: [String]
        let metrics: [Metric]
        let report: TaskReport
        /// Files in the order in which origins number them.
        let files: [String]
        var targets: Section
        var splits: [Split]
    }

    struct Split: Codable {
        let name: SplitName
        let label: String?
        var sources: Section
        let longestSource: Int
        /// Place of the gold answers: Double, a class or a raw score.
        var gold = 0
        /// Place of the files and lines: two UInt32 each.
        var origins = 0
    }

    /// Lists of token ids: `count + 1` offsets (UInt64) into `tokens` ids (Int32). Places are byte offsets from the
    /// start of the data.
    struct Section: Codable {
        let count: Int
        let tokens: Int
        var offsets = 0
        var ids = 0
    }

    /// Gives every section its place; returns the size of the data.
    mutating func placeSections() -> Int {
        var end = 0
        func take(_ size: Int) -> Int {
            defer { end = TokenCacheFormat.aligned(end + size) }
            return end
        }
        func place(_ section: inout Section) {
            section.offsets = take((section.count + 1) * 8)
            section.ids = take(section.tokens * 4)
        }
        for task in tasks.indices {
            place(&tasks[task].targets)
            for split in tasks[task].splits.indices {
                place(&tasks[task].splits[split].sources)
                tasks[task].splits[split].gold = take(tasks[task].splits[split].sources.count * 8)
                tasks[task].splits[split].origins = take(tasks[task].splits[split].sources.count * 8)
            }
        }
        return end
    }
}
