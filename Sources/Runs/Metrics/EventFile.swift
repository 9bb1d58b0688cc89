package import Failures
import Foundation

/// A record of `metrics.jsonl` that TensorBoard can draw.
package protocol Drawable {
    var step: Int { get }
    /// Its points, in a fixed order.
    var scalars: [Event.Scalar] { get }
}

/// Writes TensorBoard's curves into the run directory, one file for each start of the run; only rank 0 has one.
///
/// A start at a step cancels what earlier files contain about later steps. TensorBoard reads the files in the order of their
/// names and discards the points at and after the step of a start, so no point is shown twice after a resume.
package final class EventFile {
    private let file: GrowingFile
    private let now: () -> Double

    /// Creates the file of a start after `step` steps.
    ///
    /// - Parameters:
    ///   - host: the name of this machine, which becomes part of the file's name.
    ///   - now: returns seconds since 1970.
    /// - Throws: `cannotWrite` when the file cannot be created or written.
    package init(
        in directory: String, after step: Int, host: String = ProcessInfo.processInfo.hostName,
        now: @escaping () -> Double = { Date().timeIntervalSince1970 }
    ) throws(Failure) {
        self.now = now
        // The name sorts after every existing file, even one that began in this second or on a node whose clock is ahead.
        let begun = max(Int(now()), (Self.starts(in: directory).max() ?? 0) + 1)
        file = try GrowingFile(creating: "\(directory)/\(Self.name(begun, host: host))")
        // The points at `step` itself are kept.
        try file.append(
            Event(wallTime: now(), step: 0, content: .version("brain.Event:2")).record
                + Event(wallTime: now(), step: step + 1, content: .start).record)
    }

    /// Appends the points of a record in one write.
    package func append(_ record: some Drawable) throws(Failure) {
        try append(record.scalars.map { ($0.tag, .scalar($0.value)) }, step: record.step)
    }

    /// Appends what is shown at a step in one write.
    package func append(_ values: [Event.Tagged], step: Int) throws(Failure) {
        guard !values.isEmpty else { return }
        try file.append(Event(wallTime: now(), step: step, content: .values(values)).record)
    }

    private static let prefix = "events.out.tfevents."

    private static func name(_ seconds: Int, host: String) -> String {
        let digits = String(seconds)
        return prefix + String(repeating: "0", count: max(0, 10 - digits.count)) + "\(digits).\(host).unolora-dist"
    }

    /// The seconds in the names of a directory's event files.
    private static func starts(in directory: String) -> [Int] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).compactMap(start(name:))
    }

    /// The seconds in the name of an event file; nil for other names. It accepts ten digits: longer numbers would not sort in
    /// the order of their times, and a number beyond `Int` could not be represented.
    static func start(name: String) -> Int? {
        guard name.hasPrefix(prefix), let digits = name.dropFirst(prefix.count).split(separator: ".").first,
            digits.utf8.count == 10, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return Int(digits)
    }
}

extension TrainRecord: Drawable {
    package var scalars: [Event.Scalar] {
        let tasks = tasks.sorted { $0.key < $1.key }
        var scalars: [Event.Scalar] = [("loss", loss)]
        for (name, task) in tasks { scalars.append(("loss/" + name, task.loss)) }
        // The mixture: which part of the examples was this task's.
        let all = Double(max(examples, 1))
        for (name, task) in tasks { scalars.append(("share/" + name, Double(task.examples) / all)) }
        return scalars + [
            ("learningRate", learningRate), ("gradientNorm", gradientNorm),
            ("examplesPerSecond", timing.examplesPerSecond), ("tokensPerSecond", timing.tokensPerSecond),
        ]
    }
}

extension InterferenceRecord: Drawable {
    package var scalars: [Event.Scalar] {
        var scalars: [Event.Scalar] = []
        if let conflictRate { scalars.append(("interference/conflictRate", conflictRate)) }
        if let effectiveStep { scalars.append(("interference/effectiveStep", effectiveStep)) }
        for (task, name) in tasks.enumerated() {
            if let norm = norms[task] { scalars.append(("interference/norm/\(name)", norm)) }
            if let share = effectiveSteps[task] { scalars.append(("interference/effectiveStep/\(name)", share)) }
            for other in tasks.indices where other > task {
                guard let cosine = cosines[task][other] else { continue }
                scalars.append(("interference/cosine/\(name)-\(tasks[other])", cosine))
            }
        }
        return scalars
    }
}

extension EvaluationRecord: Drawable {
    package var scalars: [Event.Scalar] {
        // Figures of a few examples do not belong to the curve of all examples.
        scalars(under: maxExamples.map { "\(split)-\($0)" } ?? split)
    }

    /// What an evaluation of the best checkpoint adds at the end of a run: its figures, apart from the curves of the training, and
    /// its step.
    package var ofBest: [Event.Tagged] {
        (scalars(under: "best/\(split)") + [("best/step", Double(step))]).map { ($0.tag, .scalar($0.value)) }
    }

    private func scalars(under split: String) -> [Event.Scalar] {
        var scalars: [Event.Scalar] = [
            ("\(split)/average", average), ("\(split)/averageOverTasks", averageOverTasks),
        ]
        for (task, result) in tasks.sorted(by: { $0.key < $1.key }) {
            for (figure, value) in result.figures.sorted(by: { $0.key < $1.key }) {
                scalars.append(("\(split)/\(task)/\(figure)", value))
            }
        }
        return scalars
    }
}
