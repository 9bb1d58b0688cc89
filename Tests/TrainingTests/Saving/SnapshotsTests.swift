import Adapters
import Backbone
import Foundation
import Glibc
import Kernels
import Synchronization
import T5
import Tensors
import Testing

@testable import Runs
@testable import Training

@Suite struct SnapshotsTests {
    /// The job then ends inside `keep`, on its thread, and during the end the newest snapshot is taken.
    @Test func `where a snapshot gets no memory the one before it can still be saved`() async {
        await #expect(processExitsWith: .exitCode(42)) {
            // A test that would wait for ever fails instead.
            alarm(60)
            var shape = T5Configuration.presets[0].configuration
            // The weights of the backbone are not used here.
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
            // A snapshot that is being read is not overwritten, so another one is needed.
            guard snapshots.take() != nil else { exit(48) }
            Memory.onShortage { _ in
                guard let newest = snapshots.take(), newest.state.step == 1, snapshots.step == 1 else { _exit(43) }
                snapshots.release(newest)
                _exit(42)
            }
            // The limit is below what one matrix of a second snapshot needs; malloc never takes such large memory from a heap.
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

    /// A trained state as its snapshot must be: every number is the step.
    private static func state() throws -> TrainState {
        var shape = T5Configuration.presets[0].configuration
        (shape.vocabularySize, shape.encoderBlocks, shape.decoderBlocks) = (8, 1, 1)
        let storage = Arena(count: shape.weightCount)
        let shapes = Dictionary(uniqueKeysWithValues: shape.tensorShapes().map { ($0.name, $0.shape) })
        let backbone = try T5Model(configuration: shape, maximumLength: 1, storage: storage) { name in
            let size = shapes[name] ?? [0]
            return .float32(Matrix(storage.base, rows: size.dropLast().reduce(1, *), columns: size.last ?? 0))
        }
        let options = LowRankOptions(method: .unolora, rankA: 64, alpha: 8, tasks: 1)
        return TrainState(LowRankMethod(options, on: shape), on: backbone, seed: 1)
    }

    private static func train(_ state: TrainState, to step: Int) {
        state.step = step
        for arena in [state.weights, state.mean, state.square] {
            arena.elements.update(repeating: Float(step))
        }
    }

    private static func saved(_ step: Int, best: Int? = nil) -> RunState {
        RunState(
            step: step, steps: 9_999, seed: 1,
            identity: RunState.Identity(configuration: "", layout: "", backbone: "", data: ""),
            best: best.map { RunState.Best(step: $0, value: 1, measure: "") }, owesEvaluation: false,
            accumulator: MetricsAccumulator(tasks: 1), libraries: [:])
    }

    /// Whether every number of a snapshot equals its step.
    private static func isWhole(_ snapshot: Snapshot) -> Bool {
        let step = Float(snapshot.state.step)
        return [snapshot.weights, snapshot.mean, snapshot.square].allSatisfy { $0.elements.allSatisfy { $0 == step } }
    }

    /// One copy is overwritten after each step; the trained state replaces it in the meantime.
    @Test func `whoever takes the newest while steps are kept gets a whole one, and never an older one than before`()
        throws
    {
        let state = try Self.state()
        let snapshots = Snapshots()
        let isDone = Atomic<Bool>(false)
        let taken = Mutex<(count: Int, last: Int, broken: Int)>((0, 0, 0))
        let left = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            while !isDone.load(ordering: .relaxed) {
                guard let newest = snapshots.take() else { continue }
                let isWhole = Self.isWhole(newest)
                taken.withLock {
                    $0.count += 1
                    if !isWhole || newest.state.step < $0.last { $0.broken += 1 }
                    $0.last = newest.state.step
                }
                snapshots.release(newest)
            }
            left.signal()
        }
        // A busy machine may give the other thread no time for long.
        let (least, most) = (300, 1_000_000)
        var step = 0
        while step < least || (step < most && taken.withLock { $0.count } < 20) {
            step += 1
            Self.train(state, to: step)
            snapshots.keep(state, Self.saved(step))
        }
        isDone.store(true, ordering: .relaxed)
        left.wait()
        let (count, _, broken) = taken.withLock { $0 }
        #expect(count >= 20 && broken == 0, "\(broken) of \(count)")
        #expect(snapshots.step == step)
    }

    @Test func `the copy of the best evaluation stays while later steps are kept`() throws {
        let state = try Self.state()
        let snapshots = Snapshots()
        for step in 1...6 {
            Self.train(state, to: step)
            snapshots.keep(state, Self.saved(step, best: step < 3 ? 1 : 3))
        }
        let best = try #require(snapshots.takeBest())
        #expect(best.state.step == 3 && Self.isWhole(best))
        snapshots.release(best)
        let newest = try #require(snapshots.take())
        #expect(newest.state.step == 6 && Self.isWhole(newest))
        snapshots.release(newest)
    }
}
