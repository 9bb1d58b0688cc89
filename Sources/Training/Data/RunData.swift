import Configuration
import Failures
import MPI
import Tasks
import Tensors
import Text

/// The tokenised examples of a run's tasks.
final class RunData: TrainingExamples, @unchecked Sendable {
    let definitions: [TaskDefinition]
    let digest: String
    private var splits: [[SplitName: [(source: [Int32], target: [Int32], gold: GoldAnswer)]]] = []
    private var keep: [UnsafeMutableBufferPointer<Int32>] = []
    private var sources: [[UnsafeBufferPointer<Int32>]] = []

    init(_ configuration: RunConfiguration, vocabulary: Vocabulary, world: Communicator) throws(Failure) {
        definitions = try configuration.definitions()
        digest = "temporary"
        for definition in definitions {
            let examples = try TaskExamples(definition, options: configuration.readingOptions)
            var all: [SplitName: [(source: [Int32], target: [Int32], gold: GoldAnswer)]] = [:]
            for split in examples.splitNames {
                var list: [(source: [Int32], target: [Int32], gold: GoldAnswer)] = []
                for i in 0..<examples.count(split) {
                    let e = try examples.example(split, i)
                    var ids = try vocabulary.encode(e.source)
                    if ids.count > configuration.maxSource - 1 { ids = Array(ids.prefix(configuration.maxSource - 1)) }
                    list.append((ids + [1], try vocabulary.encode(e.target) + [1], e.gold))
                }
                all[split] = list
            }
            splits.append(all)
        }
    }

    private func hold(_ ids: [Int32]) -> UnsafeBufferPointer<Int32> {
        let b = UnsafeMutableBufferPointer<Int32>.allocate(capacity: ids.count)
        _ = b.initialize(from: ids)
        return UnsafeBufferPointer(b)
    }

    func count(task: Int, _ split: SplitName) -> Int { splits[task][split]?.count ?? 0 }
    func gold(task: Int, _ split: SplitName) -> [GoldAnswer] { splits[task][split]?.map(\.gold) ?? [] }
    func source(task: Int, _ split: SplitName, _ i: Int) -> UnsafeBufferPointer<Int32> { hold(splits[task][split]![i].source) }
    func source(task: Int, example: Int) -> UnsafeBufferPointer<Int32> { hold(splits[task][.train]![example].source) }
    func target(task: Int, example: Int) -> UnsafeBufferPointer<Int32> { hold(splits[task][.train]![example].target) }
    func longestTarget(task: Int) -> Int { 4 }
    func longestAnswer(_ c: RunConfiguration) -> Int { 16 }
}
