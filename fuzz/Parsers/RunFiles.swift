import Configuration
import Failures
import Foundation
import Tensors

@testable import Checkpoints
@testable import Runs
@testable import Training

/// Parses the bytes as they are, and again with the correct digest of their content.
func parseManifest(_ bytes: UnsafeRawBufferPointer) {
    struct Stored: Decodable {
        let step: Int
        let files: [String: Manifest.Entry]
        let dependsOn: [String: String]
    }
    check(try? Manifest(Data(bytes), path: "m"))
    guard let stored = try? BoundedJSON.decode(Stored.self, from: Data(bytes)) else { return }
    let manifest = Manifest(step: stored.step, files: stored.files, dependsOn: stored.dependsOn)
    guard let data = try? manifest.encoded() else { return hold(false, "a manifest can be written") }
    check(try? Manifest(data, path: "m"))
}

private func check(_ manifest: Manifest?) {
    guard let manifest else { return }
    hold(manifest.step >= 0, "a step is not negative")
    for name in manifest.files.keys {
        let parts = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for part in parts {
            let part = String(Substring(part))
            hold(!["", ".", ".."].contains(part) && !part.utf8.contains(0), "files are inside the checkpoint")
        }
    }
}

private let identity = RunState.Identity(configuration: "seed: 1\ntasks: []", layout: "l", backbone: "b", data: "d")

func parseState(_ bytes: UnsafeRawBufferPointer) {
    guard var state = try? RunState(Data(bytes), path: "s") else { return }
    guard let data = try? state.encoded(), (try? RunState(data, path: "s")) == state else {
        return hold(false, "what is written means the same")
    }
    try? state.identity.refuseDifference(from: identity, path: "s")
    _ = state.identity.changes(to: identity, for: .evaluation)
    let most = StepResult.TaskSums(lossQuanta: .max, tokens: 1 << 32, examples: 1 << 32, sourceTokens: 1 << 32)
    let tasks = state.accumulator.tasks.count
    for _ in 0..<3 {
        state.accumulator.add(
            StepResult(tasks: Array(repeating: most, count: tasks), gradientNorm: 1, learningRate: 1, stop: nil))
    }
    let names = (0..<tasks).map(String.init)
    _ = state.accumulator.record(step: state.step + 1, names: names, seconds: 1)
}

func parseMetrics(_ bytes: UnsafeRawBufferPointer) {
    for owesEvaluation in [true, false] {
        let start = MetricsLog.Start(step: 8, owesEvaluation: owesEvaluation)
        let (kept, last) = MetricsLog.lines(of: Data(bytes), start)
        hold(last.trained <= 8 && last.measured <= 8, "later lines do not count")
        hold(kept.count <= bytes.count + 1, "nothing is added but an end of line")
        hold(MetricsLog.lines(of: kept, start).kept == kept, "what is kept is kept again")
    }
}

/// Parses the bytes as they are, and again with the correct digest of their body.
func parseSnapshot(_ bytes: UnsafeRawBufferPointer) {
    check(SnapshotFile.parse(bytes, "s"), bytes.count)
    guard let whole = SnapshotFile.withDigest(bytes) else { return }
    whole.withUnsafeBytes { check(SnapshotFile.parse($0, "s"), $0.count) }
}

private func check(_ found: (state: RunState, arenas: [Arena])?, _ size: Int) {
    guard let found else { return }
    hold(found.arenas.allSatisfy { $0.count * 4 <= size }, "an arena is a part of the file")
}

func parseStatus(_ bytes: UnsafeRawBufferPointer) {
    guard let status = try? BoundedJSON.decode(RunStatus.self, from: Data(bytes)) else { return }
    guard let data = try? StableJSON.document(status, "s") else { return hold(false, "a status can be written") }
    hold((try? BoundedJSON.decode(RunStatus.self, from: data)) == status, "what is written means the same")
}

func parseEventNames(_ bytes: UnsafeRawBufferPointer) {
    let starts = bytes.split(separator: 0x0A).compactMap { EventFile.start(name: String(decoding: $0, as: UTF8.self)) }
    hold(starts.allSatisfy { $0 >= 0 && $0 + 1 > 0 }, "there is a second after it")
}
