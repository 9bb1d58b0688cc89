import Failures
import Foundation
import Heartbeat
import Tensors

/// Checks a mapped cache and creates its tasks; failures contain only the reason.
///
/// Safe, because it keeps its memory mapped and reads nothing before it has checked that the place lies inside.
@safe struct TokenCacheReader {
    private let file: MappedFile
    private let key: ContentDigest
    private let data: UnsafeRawBufferPointer
    private let header: TokenCacheHeader
    private let end: Int32?

    /// Reads the header. `end` is the id that each text must end with; nil when the tokenizer is not known. Then all texts of a
    /// list must end with the same id.
    init(_ file: MappedFile, end: Int32? = nil) throws(Failure) {
        self.file = file
        self.end = end
        let prologue = try unsafe TokenCacheFormat.read(prologue: file.bytes)
        key = prologue.key
        let content = unsafe UnsafeRawBufferPointer(rebasing: file.bytes[TokenCacheFormat.prologueSize...])
        guard unsafe ContentDigest(of: content) == prologue.content else {
            throw Failure(.badData, "its content does not have its digest")
        }
        unsafe data = UnsafeRawBufferPointer(rebasing: content[prologue.headerSize...])
        do {
            // The header of a cache with a million files has some hundred megabytes; computing the digest has already read it.
            header = try unsafe BoundedJSON.decode(
                TokenCacheHeader.self, from: Data(content[..<prologue.headerSize]), maximumSize: .max)
        } catch {
            throw Failure(.badData, "its header is damaged")
        }
        // Positions in the data are aligned only if the data is.
        try require(prologue.headerSize % TokenCacheFormat.alignment == 0, "its header is damaged")
    }

    /// The checked tasks.
    func contents() throws(Failure) -> (key: ContentDigest, tasks: [CachedTask]) {
        try checkPlaces()
        var tasks: [CachedTask] = []
        for task in header.tasks { tasks.append(try read(task)) }
        return (key, tasks)
    }

    /// Refuses sections that are not where the builder puts them, directly after each other. A small file could have any number
    /// of overlapping sections, and each would be read and copied.
    private func checkPlaces() throws(Failure) {
        var placed = header
        try unsafe require(
            placed.placeSections(limit: data.count) == data.count && placed == header, "a section is misplaced")
    }

    private func read(_ task: TokenCacheHeader.Task) throws(Failure) -> CachedTask {
        try check(task.answers)
        let targets = try unsafe lists(task.targets)
        try require(targets.count == task.answers.targetCount, "it lacks targets")
        try require(task.report.isPossible, "its report is damaged")
        var splits: [CachedSplit] = []
        for split in task.splits {
            let sources = try unsafe lists(split.sources)
            try unsafe require(split.longestSource == sources.longest, "its longest source is another")
            let golds: UnsafePointer<Double> = try unsafe elements(split.gold, split.sources.count)
            let origins: UnsafePointer<UInt32> = try unsafe elements(split.origins, 2 * split.sources.count)
            for index in 0..<split.sources.count {
                if index % 65_536 == 0 { Heartbeat.beat() }
                try unsafe require(
                    task.answers == .texts || isAnswer(golds[index], task.answers), "an answer is none of its task")
                try unsafe require(task.files.indices.contains(Int(origins[2 * index])), "an origin is no file")
            }
            let answers = try unsafe texts(split, task.answers, firsts: golds)
            unsafe splits.append(
                CachedSplit(
                    split, file, sources: sources, targets: answers?.targets ?? targets, golds: golds, origins: origins,
                    texts: answers?.texts, groups: try groups(split), answers: task.answers))
        }
        return CachedTask(
            name: task.name, answers: task.answers, labelNames: task.labelNames, metrics: task.metrics,
            report: task.report, files: task.files, splits: splits,
            targetIDs: (0..<targets.count).map { unsafe Array(targets[$0]) })
    }

    /// Refuses an answer space whose number of targets cannot be computed.
    private func check(_ answers: AnswerSpace) throws(Failure) {
        guard case .grades(let minimum, let maximum, let step, let decimals) = answers else { return }
        try require(
            step > 0 && minimum < maximum && (maximum - minimum) / step <= 10_000 && (0...6).contains(decimals),
            "its grades are damaged")
    }

    private func isAnswer(_ number: Double, _ answers: AnswerSpace) -> Bool {
        switch answers {
        case .classes(let classes): number >= 0 && number < Double(classes.count) && number == number.rounded()
        case .grades(let minimum, let maximum, _, _): number >= minimum && number <= maximum
        case .texts: false
        }
    }

    /// The targets and texts of a split of a task with free text, of which `firsts` has the first one of each example; nil for
    /// another task.
    private func texts(
        _ split: TokenCacheHeader.Split, _ answers: AnswerSpace, firsts: UnsafePointer<Double>
    ) throws(Failure) -> (targets: CachedLists, texts: CachedTexts)? {
        try require((split.texts != nil) == (answers == .texts), "its answers are of another kind")
        guard let entry = split.texts else { return nil }
        let targets = try unsafe lists(entry.targets)
        try unsafe require(
            targets.count == split.sources.count && entry.longestTarget == targets.longest,
            "its targets are not those of its examples")
        let ends: UnsafePointer<UInt64> = try unsafe elements(entry.ends, entry.count)
        let utf8: UnsafePointer<UInt8> = try unsafe elements(entry.utf8, entry.bytes)
        let texts = unsafe CachedTexts(ends: ends, utf8: utf8, count: entry.count)
        for index in 0..<entry.count {
            if index % 65_536 == 0 { Heartbeat.beat() }
            let start = unsafe index > 0 ? ends[index - 1] : 0
            try unsafe require(
                start <= ends[index] && ends[index] <= UInt64(entry.bytes) && texts[index].isStreamSafe,
                "a text is damaged")
        }
        for index in 0..<split.sources.count {
            let least = unsafe index > 0 ? firsts[index - 1] + 1 : 0
            let isFirst = unsafe index > 0 || firsts[0] == 0
            try unsafe require(
                isFirst && firsts[index] >= least && firsts[index] < Double(entry.count)
                    && firsts[index] == firsts[index].rounded(), "an example has no text")
        }
        return unsafe (targets, texts)
    }

    /// The groups of a split; nil without groups.
    private func groups(_ split: TokenCacheHeader.Split) throws(Failure) -> UnsafePointer<UInt32>? {
        guard let place = split.groups else { return nil }
        let groups: UnsafePointer<UInt32> = try unsafe elements(place, split.sources.count)
        for index in 0..<split.sources.count {
            try unsafe require(Int(groups[index]) < split.sources.count, "a group is none of its split")
        }
        return unsafe groups
    }

    /// Returns lists after checking offsets and ids: no list is empty, and each ends with the end id.
    private func lists(_ section: TokenCacheHeader.Section) throws(Failure) -> CachedLists {
        try unsafe require((0..<data.count).contains(section.count), "a count is impossible")
        let offsets: UnsafePointer<UInt64> = try unsafe elements(section.offsets, section.count + 1)
        let ids: UnsafePointer<Int32> = try unsafe elements(section.ids, section.tokens)
        try unsafe require(offsets[0] == 0 && offsets[section.count] == UInt64(section.tokens), "offsets do not match")
        for index in 0..<section.count {
            // A cache may be many gigabytes on a slow network.
            if index % 65_536 == 0 { Heartbeat.beat() }
            let end = unsafe offsets[index + 1]
            try unsafe require(offsets[index] < end && end <= UInt64(section.tokens), "offsets are out of order")
            let expected = unsafe self.end ?? ids[section.tokens - 1]
            try unsafe require(ids[Int(end) - 1] == expected, "a text lacks its end")
        }
        for index in 0..<section.tokens {
            if index % 1_048_576 == 0 { Heartbeat.beat() }
            try unsafe require(ids[index] >= 0, "an id is negative")
        }
        return unsafe CachedLists(offsets: offsets, ids: ids, count: section.count)
    }

    /// `count` elements at a position in the data.
    private func elements<Element>(_ place: Int, _ count: Int) throws(Failure) -> UnsafePointer<Element> {
        let (size, overflow) = count.multipliedReportingOverflow(by: MemoryLayout<Element>.stride)
        guard !overflow, size >= 0, place >= 0, unsafe place <= data.count, unsafe size <= data.count - place,
            place % TokenCacheFormat.alignment == 0, let base = unsafe data.baseAddress
        else { throw Failure(.badData, "a section lies outside of it") }
        return unsafe (base + place).assumingMemoryBound(to: Element.self)
    }

    private func require(_ holds: Bool, _ reason: @autoclosure () -> String) throws(Failure) {
        if !holds { throw Failure(.badData, reason()) }
    }
}
