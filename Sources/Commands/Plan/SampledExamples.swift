import Configuration
import Failures
import Tasks
import Tensors
import Text
import Training

/// The tokens of some examples, as the token cache would have them. The lists that it returns are valid as long as this object.
final class SampledExamples: TrainingExamples {
    /// An example of a split of a task.
    struct Place: Hashable {
        let task: Int
        let split: SplitName
        let example: Int
    }

    private let tokens: NumberBuffer<Int32>
    private let sources: [Place: Range<Int>]
    private let targets: [Place: Range<Int>]
    /// The answers of the examples.
    let golds: [Place: GoldAnswer]

    /// Reads and tokenises the examples.
    init(_ places: some Sequence<Place>, of data: PlannedData, maxSource: Int, maxTarget: Int?) throws(Failure) {
        var all: [Int32] = []
        var (sources, targets): ([Place: Range<Int>], [Place: Range<Int>]) = ([:], [:])
        var golds: [Place: GoldAnswer] = [:]
        func append(_ list: some Sequence<Int32>) -> Range<Int> {
            let start = all.count
            all += list
            return start..<all.count
        }
        let answers = data.tasks.map { task in task.targets.all.map { append($0) } }
        for place in places where golds[place] == nil {
            let task = data.tasks[place.task]
            let example = try task.examples.example(place.split, place.example)
            let source = try PlannedData.encode(example, of: task.examples, data.vocabulary)
            sources[place] = append(source.prefix(maxSource - 1) + [data.vocabulary.endID])
            golds[place] = example.gold
            if task.definition.answers == .texts {
                let target = try PlannedData.encode(example.target, of: example, task.examples, data.vocabulary)
                targets[place] = append(target.prefix((maxTarget ?? .max) - 1) + [data.vocabulary.endID])
            } else {
                targets[place] = answers[place.task][task.definition.answers.targetIndex(of: example.gold)]
            }
        }
        tokens = NumberBuffer(count: all.count)
        for (index, token) in all.enumerated() { tokens[index] = token }
        (self.sources, self.targets, self.golds) = (sources, targets, golds)
    }

    func source(task: Int, example: Int) -> UnsafeBufferPointer<Int32> {
        unsafe source(Place(task: task, split: .train, example: example))
    }

    func target(task: Int, example: Int) -> UnsafeBufferPointer<Int32> {
        unsafe slice(targets[Place(task: task, split: .train, example: example)])
    }

    /// Source tokens of an example, the end token included.
    func source(_ place: Place) -> UnsafeBufferPointer<Int32> { unsafe slice(sources[place]) }

    private func slice(_ range: Range<Int>?) -> UnsafeBufferPointer<Int32> {
        guard let range else { preconditionFailure("an example that was not sampled") }
        return unsafe tokens.slice(range.lowerBound, range.count)
    }
}
