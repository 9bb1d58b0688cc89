import Adapters
import Foundation
import Glibc
import T5
import Tensors
import Testing

@testable import Runs
@testable import Training

@Suite struct SnapshotsTests {
    /// The job ends inside `keep` then, on its thread, and the newest snapshot is asked for on the way out.
    @Test func `where a snapshot gets no memory the one before it can still be saved`() async {
        await #expect(processExitsWith: .exitCode(42)) {
            // What would wait for ever is a failure.
            alarm(60)
            var shape = T5Configuration.presets[0].configuration
            // The weights of the backbone play no part here.
            shape.vocabularySize = 8
            let storage = Arena(count: shape.weightCount)
            guard
                let backbone = try? T5Model(
                    configuration: shape, maximumLength: 1, storage: storage,
                    tensor: { name in
                        let tensor = shape.tensorShapes().first { $0.name == name }?.shape ?? [0]
                        return .float32(
                            Matrix(storage.base, rows: tensor.dropLast().reduce(1, *), columns: tensor.last ?? 0))
                    })
            else { exit(47) }
            let options = LowRankOptions(method: .unolora, rankA: 512, alpha: 8, tasks: 1)
            let state = TrainState(LowRankMethod(options, on: shape), on: backbone, seed: 1)
            let snapshots = Snapshots()
            func keep(_ step: Int) {
                state.step = step
                snapshots.keep(
                    state,
                    RunState(
                        step: step, steps: 9, seed: 1,
                        identity: RunState.Identity(configuration: "", layout: "", backbone: "", data: ""), best: nil,
                        owesEvaluation: false, accumulator: MetricsAccumulator(tasks: 1), libraries: [:]))
            }
            keep(1)
            // While it is read it is not overwritten, and another is needed.
            guard snapshots.take() != nil else { exit(48) }
            Memory.onShortage { _ in
                guard let newest = snapshots.take(), newest.state.step == 1, snapshots.step == 1 else { _exit(43) }
                snapshots.release(newest)
                _exit(42)
            }
            // Less than one matrix of a second one takes, which is larger than what malloc ever takes from a heap.
            var limit = rlimit(rlim_cur: 1, rlim_max: 1)
            guard
                let pages = try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
                    .first,
                let used = UInt(pages)
            else { exit(44) }
            limit.rlim_cur = rlim_t(used * 4096 + (32 << 20))
            limit.rlim_max = limit.rlim_cur
            // RLIMIT_AS
            guard setrlimit(__rlimit_resource_t(9), &limit) == 0 else { exit(45) }
            keep(2)
            exit(46)
        }
    }
}
