import Heartbeat
import Kernels
public import Tensors

/// Greedy decoding of a batch, and the log-probabilities of given targets: each step computes one token of every unfinished
/// prefix.
///
/// The answer and the targets of an example often begin with the same tokens. Each different prefix is computed once, so
/// targets that have the answer's beginning cost little.
public struct GreedyDecoding {
    /// One row of a step.
    public struct Row: Sendable, Equatable {
        /// The example whose source it reads.
        public let example: Int
        /// Where the keys and values of its earlier tokens are kept.
        public let slot: Int
    }

    /// The places for keys and values that a batch needs.
    public struct Slots: Sendable, Equatable {
        /// The first slot of each example.
        let starts: [Int]
        /// Slots of all examples: as many as there can be rows in a step.
        public let count: Int

        /// An example needs a slot for its answer and one for each of its targets, since each may have a prefix of its own.
        public init(targets: [[[Int32]]]) {
            var (starts, count) = ([Int](), 0)
            for own in targets {
                starts.append(count)
                count += 1 + own.count
            }
            (self.starts, self.count) = (starts, count)
        }
    }

    /// First input of the decoder.
    public let startToken: Int32
    /// Token that ends an answer; it belongs to the answer.
    public let endToken: Int32
    /// Memory of the worker; the results of a step may use it.
    public let workspace: Workspace

    /// Creates a decoding that starts with one token and ends with another.
    public init(startToken: Int32, endToken: Int32, workspace: Workspace) {
        self.startToken = startToken
        self.endToken = endToken
        self.workspace = workspace
    }

    /// The beginning of an answer, of targets, or of both, whose next token is computed.
    private struct Prefix {
        var row: Row
        /// Its last token.
        var last: Int32
        /// Whether the answer begins with it and goes on.
        var isOfAnswer: Bool
        /// The targets that begin with it and go on.
        var targets: [Int] = []
    }

    /// Generates at most `limits[i]` tokens for example i, and sums the log-probabilities of each of `targets[i]`. Ties go to
    /// the lower token id.
    ///
    /// - Parameters:
    ///   - logits: from the last token of each row, the rows, and the number of the step: logits `[rows, vocabulary]`.
    ///   - copy: copies the first keys and values of a slot to another one: from, to, and how many.
    ///   - observe: called with the example and the logits of each token of an answer.
    public func answers(
        limits: [Int], targets: [[[Int32]]], slots: Slots, logits: (UnsafePointer<Int32>, [Row], Int) -> Matrix,
        copy: (Int, Int, Int) -> Void, observe: (Int, UnsafeBufferPointer<Float>) -> Void
    ) throws(NonFiniteLogits) -> [DecodedAnswer] {
        var answers = targets.map { own in
            var answer = DecodedAnswer()
            answer.logProbabilities = Array(repeating: 0, count: own.count)
            return answer
        }
        var free = targets.indices.map {
            [Int]((slots.starts[$0]..<slots.starts[$0] + targets[$0].count + 1).reversed())
        }
        var prefixes: [Prefix] = []
        for example in limits.indices {
            let own = targets[example].indices.filter { !targets[example][$0].isEmpty }
            guard limits[example] > 0 || !own.isEmpty, let slot = free[example].popLast() else { continue }
            prefixes.append(
                Prefix(
                    row: Row(example: example, slot: slot), last: startToken, isOfAnswer: limits[example] > 0,
                    targets: own))
        }
        var step = 0
        while !prefixes.isEmpty {
            let mark = workspace.mark
            let ids = unsafe workspace.take(Int32.self, prefixes.count)
            for (i, prefix) in prefixes.enumerated() { unsafe ids[i] = prefix.last }
            let logits = unsafe logits(UnsafePointer(ids), prefixes.map(\.row), step)
            var longer: [Prefix] = []
            longer.reserveCapacity(prefixes.count)
            for (i, prefix) in prefixes.enumerated() {
                let example = prefix.row.example
                let row = unsafe UnsafeBufferPointer(start: logits.row(i), count: logits.columns)
                guard unsafe allFinite(logits.row(i), logits.columns) else { throw NonFiniteLogits(example: example) }
                let first = longer.count
                if prefix.isOfAnswer {
                    unsafe observe(example, row)
                    let token = unsafe Int32(indexOfMaximum(logits.row(i), logits.columns))
                    answers[example].tokens.append(token)
                    if token != endToken, answers[example].tokens.count < limits[example] {
                        longer.append(Prefix(row: prefix.row, last: token, isOfAnswer: true))
                    }
                }
                if !prefix.targets.isEmpty {
                    unsafe add(
                        row, step, prefix, targets[example], to: &answers[example].logProbabilities, &longer,
                        from: first)
                }
                // The first longer prefix keeps the slot; the others get copies.
                if longer.count == first { free[example].append(prefix.row.slot) }
                for next in longer.indices.dropFirst(first + 1) {
                    guard let slot = free[example].popLast() else { preconditionFailure("more prefixes than targets") }
                    longer[next].row = Row(example: example, slot: slot)
                    copy(prefix.row.slot, slot, step + 1)
                }
            }
            workspace.release(to: mark)
            prefixes = longer
            step += 1
            Heartbeat.beat()
        }
        return answers
    }

    /// Adds the next token of each target that begins with `prefix` to its sum, and the targets that go on to the longer prefixes
    /// from number `first` on.
    private func add(
        _ logits: UnsafeBufferPointer<Float>, _ step: Int, _ prefix: Prefix, _ targets: [[Int32]],
        to sums: inout [Double], _ longer: inout [Prefix], from first: Int
    ) {
        guard let base = logits.baseAddress else { return }
        let normaliser = unsafe logNormaliser(base, logits.count)
        for number in prefix.targets {
            let target = targets[number]
            let token = target[step]
            unsafe sums[number] += Double(base[Int(token)]) - normaliser
            guard step + 1 < target.count else { continue }
            if let same = longer.indices.dropFirst(first).first(where: { longer[$0].last == token }) {
                longer[same].targets.append(number)
            } else {
                longer.append(Prefix(row: prefix.row, last: token, isOfAnswer: false, targets: [number]))
            }
        }
    }
}

/// The lowest index of the largest element.
func indexOfMaximum(_ x: UnsafePointer<Float>, _ count: Int) -> Int {
    var best = 0
    for i in 1..<max(count, 1) where unsafe x[i] > x[best] {
        best = i
    }
    return best
}
