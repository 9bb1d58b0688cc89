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
        /// Position of the gold answers: Double, a class, a raw score, or the index of the example's first text in `texts`.
        var gold = 0
        /// Position of the files and lines: two UInt32 each.
        var origins = 0
        /// The answers of a task with free text; nil for others.
        var texts: Texts?
        /// Position of the groups: UInt32; nil without groups.
        var groups: Int?
    }

    /// The answers of a split of a task with free text: `targets` has the token ids of each example's target; the texts that are
    /// right are UTF-8, end to end, with the `count` ends (UInt64) in `ends`.
    struct Texts: Codable, Equatable {
        var targets: Section
        let longestTarget: Int
        let count: Int
        let bytes: Int
        var ends = 0
        var utf8 = 0
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
                if var texts = tasks[task].splits[split].texts {
                    guard place(&texts.targets), let ends = take(texts.count, of: 8),
                        let utf8 = take(texts.bytes, of: 1)
                    else { return nil }
                    (texts.ends, texts.utf8) = (ends, utf8)
                    tasks[task].splits[split].texts = texts
                }
                if tasks[task].splits[split].groups != nil {
                    guard let groups = take(count, of: 4) else { return nil }
                    tasks[task].splits[split].groups = groups
                }
            }
        }
        return end
    }
}
