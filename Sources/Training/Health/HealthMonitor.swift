package import Failures
import Foundation
import Heartbeat
package import MPI
import Runs
import Synchronization
import Tensors

/// Watches over a training job, on a separate thread in every rank, whatever the rank's other threads are doing.
///
/// When any rank of a node gets SIGTERM, SIGHUP or SIGINT, the rank of the node with the newest snapshot saves it at once and
/// ends the job; nothing waits for a collective. When a rank of the node dies or makes no progress for too long, or when the
/// first rank of another node is silent (`NodeRing`), the monitor names it, the newest snapshot is saved, and the job ends. A
/// job in which every rank waits for the others ends in the same way.
package final class HealthMonitor: @unchecked Sendable {
    /// The monitor's actions on the run.
    package struct Actions: Sendable {
        /// Prevents this rank from completing any further step.
        var freeze: @Sendable () -> Void
        /// Saves this rank's newest snapshot; returns its step, nil when there is none.
        var save: @Sendable () throws(Failure) -> Int?
        /// Step of this rank's newest snapshot; nil for none.
        package var step: @Sendable () -> Int?
        /// Records in `STATUS.json` how the job ends; returns false when another part of the job has already recorded an end.
        var end: @Sendable (RunStatus.State, String, _ step: Int?, _ exitCode: Int32) -> Bool
    }

    private let world: Communicator
    private let board: HealthBoard
    private let signs: LifeSigns
    private let actions: Actions
    private let host = ProcessInfo.processInfo.hostName
    /// Longest time without progress, in nanoseconds; 0 disables the detection of stalls.
    private let timeout = Atomic<Int64>(0)
    /// For how many nanoseconds all ranks of the node have waited for others.
    private let idleTime = Atomic<Int64>(0)
    private let isStopped = Atomic<Bool>(false)
    private let left = DispatchSemaphore(value: 0)
    private var ring: NodeRing?

    // Only the watching thread uses the following variables.
    private var beats = -1
    private var lastLook: Int64 = 0
    /// When this process last continued after it was stopped itself; other ranks' times before that prove nothing.
    private var awakeSince: Int64 = 0
    private var signalledSince: Int64 = 0
    private var savedSince: Int64?

    /// Starts watching; collective over `world`. `node` contains the ranks of this node.
    package init(
        world: Communicator, node: Communicator, threads: MPIEnvironment.ThreadLevel, actions: Actions
    ) throws(Failure) {
        self.world = world
        self.actions = actions
        board = try HealthBoard(node, world: world)
        signs = LifeSigns(board, host: host, isWholeJob: node.size == world.size)
        if threads == .multiple {
            ring = try NodeRing(
                world: world, node: node, limit: { [self] in timeout.load(ordering: .relaxed) },
                idle: { [self] in idleTime.load(ordering: .relaxed) }
            ) { [self] sentence in endForLostRank(sentence) }
        }
        MappingFaults.setWatched(true)
        let thread = Thread { [self] in
            while !isStopped.load(ordering: .acquiring) {
                look()
                usleep(20_000)
            }
            left.signal()
        }
        thread.name = "health"
        thread.start()
        // Other ranks of the node watch this process if there are any and they can see it.
        RankGuard.setWatched(node.size > 1 && board.seesProcesses)
    }

    /// Sets the longest time without progress of a rank; nil for no limit.
    package func limit(_ duration: Duration?) {
        timeout.store(duration.map { Int64($0 / .nanoseconds(1)) } ?? 0, ordering: .relaxed)
    }

    /// Ends the job because of a failure that this rank reports itself: saves its newest snapshot and keeps the others silent.
    ///
    /// - Parameter saves: false when this rank's own state may be wrong; then another rank of the node saves its own.
    /// - Returns: the step that is on the disk; nil for none.
    package func beginFailure(saves: Bool) -> Int? {
        let me = board.node.rank
        board[.failing] = 1
        isStopped.store(true, ordering: .releasing)
        actions.freeze()
        if saves {
            board[.savingSince] = HealthBoard.now
            board[.saver] = Int64(me + 1)
        } else {
            board[.snapshot, me] = 0
            board[.frozen, me] = 1
        }
        _ = board.replace(.signal, 0, by: Int64(SIGTERM))
        defer { board[.done, me] = 1 }
        guard saves else { return stepOfAnother() }
        // If saving fails, either that is the failure itself, or it is less important.
        let step = Bounded.saving(actions.save).result(within: LastSave.patience)?.step
        board[.saved] = 1
        return step
    }

    /// The step that another rank of the node saves instead of this one; nil for none.
    private func stepOfAnother() -> Int? {
        let end = HealthBoard.now + 5_000_000_000
        while board[.saved] == 0 {
            let isAlone = live(HealthBoard.now).count == 1 && board[.saver] == 0
            guard !isAlone, HealthBoard.now < end else { return nil }
            usleep(5_000)
        }
        let step = board[.snapshot, Int(board[.saver]) - 1]
        return step > 0 ? Int(step) - 1 : nil
    }

    /// Stops watching because this rank's work is done. Not collective.
    package func stop() {
        MappingFaults.setWatched(false)
        RankGuard.setWatched(false)
        board[.done, board.node.rank] = 1
        isStopped.store(true, ordering: .releasing)
        left.wait()
        ring?.stop()
    }

    private func look() {
        let now = HealthBoard.now
        let me = board.node.rank
        if now - lastLook > 1_000_000_000 { awakeSince = now }
        lastLook = now
        board[.watched, me] = now
        // If another rank of the node has the same problem already, that rank ends the job.
        if let path = MappingFaults.lostFile, board.replace(.failing, 0, by: 1) { endForLostFile(path) }
        let works = Heartbeat.beats != beats || Heartbeat.isWaitingOutside
        beats = Heartbeat.beats
        if works { board[.worked, me] = now }
        if works || Heartbeat.isWaiting { board[.progressed, me] = now }
        if let signal = StopSignals.ending, board[.signal] == 0 { _ = board.replace(.signal, 0, by: Int64(signal)) }
        if board[.signal] != 0 {
            freeze(now)
            endForSignal(now)
        } else {
            idleTime.store(signs.idle(now, since: awakeSince), ordering: .relaxed)
            if let sentence = signs.lost(now, since: awakeSince, limit: timeout.load(ordering: .relaxed)) {
                endForLostRank(sentence)
            }
        }
    }

    // MARK: - Signals

    private func freeze(_ now: Int64) {
        let me = board.node.rank
        guard board[.frozen, me] == 0 else { return }
        signalledSince = now
        actions.freeze()
        board[.snapshot, me] = Int64(actions.step().map { $0 + 1 } ?? 0)
        board[.frozen, me] = 1
    }

    private func endForSignal(_ now: Int64) {
        let me = board.node.rank
        let reason: StopReason = board[.signal] == Int64(SIGINT) ? .interrupted : .terminated
        if board[.saved] != 0 {
            // The rank that saved ends the job; if it is stopped before that, this one does.
            let since = savedSince ?? now
            savedSince = since
            let isFailure = board[.failing] != 0 || board.loss != nil
            if now - since > 8_000_000_000 {
                world.abort(status: isFailure ? ExitCode.rankLost.rawValue : reason.exitCode)
            }
            return
        }
        let saver = board[.saver]
        if saver == 0 {
            guard isSettled(now), elected(now) == me, board.replace(.saver, 0, by: Int64(me + 1)) else { return }
        } else {
            let isGone = board.isDead(Int(saver) - 1) || now - board[.savingSince] > 25_000_000_000
            guard saver != me + 1, isGone, board.replace(.saver, saver, by: Int64(me + 1)) else { return }
        }
        board[.savingSince] = now
        if board[.failing] != 0 {
            _ = Bounded.saving(actions.save).result(within: LastSave.patience)
            board[.saved] = 1
            return
        }
        // When a rank was killed, mpirun and srun end the remaining ranks with SIGTERM.
        if let dead = board.worldRanks.indices.first(where: { board.isDead($0) }) { board.found(signs.died(dead)) }
        let loss = board.loss
        let save = Bounded.saving(actions.save)
        if let loss { endForLoss(loss, save) } else { endForSignal(reason, save) }
        board[.saved] = 1
        // Other nodes may hold a later step and be saving it now; launchers allow a second for that.
        if world.size > board.node.size {
            usleep(UInt32(max(0, min(800_000, 800_000 - (HealthBoard.now - signalledSince) / 1_000))))
        }
        world.abort(status: loss == nil ? reason.exitCode : ExitCode.rankLost.rawValue)
    }

    private func endForLoss(_ loss: String, _ save: Bounded<LastSave>) {
        // The cause is reported first, because the disk may be what hangs.
        tell("unolora-dist: rank \(world.rank) on \(host): \(loss); start again to continue")
        let outcome = save.result(within: LastSave.patience) ?? .unanswered
        _ = end(.failed, loss, outcome.step, ExitCode.rankLost.rawValue)
        if let trouble = outcome.trouble { complain(trouble) }
    }

    private func endForSignal(_ reason: StopReason, _ save: Bounded<LastSave>) {
        let outcome = save.result(within: LastSave.patience) ?? .unanswered
        if let trouble = outcome.trouble {
            complain(trouble)
            _ = end(.preempted, "\(reason), and the last step could not be saved", nil, reason.exitCode)
            return
        }
        let done = outcome.step.map { "after step \($0)" } ?? "before the first step of this job"
        // Another node may have recorded the cause; in that case the launcher sends SIGTERM to this one.
        guard end(.preempted, "\(reason)", outcome.step, reason.exitCode) else { return }
        let line = "stopped \(done): \(reason); start again to continue"
        _ = Bounded { Terminal.say(line) }.result(within: 1)
    }

    private func end(_ state: RunStatus.State, _ reason: String, _ step: Int?, _ exitCode: Int32) -> Bool {
        Bounded { [actions] in actions.end(state, reason, step, exitCode) }.result(within: 5) ?? true
    }

    private func complain(_ trouble: String) {
        tell("unolora-dist: rank \(world.rank) on \(host): the last step is not saved: \(trouble)")
    }

    private func tell(_ line: String) {
        _ = Bounded { Terminal.complain(line) }.result(within: 1)
    }

    /// Whether every live rank of the node has shown its last snapshot, or has had enough time to do so.
    private func isSettled(_ now: Int64) -> Bool {
        // The rank that found a lost rank is about to write its sentence.
        if board[.finder] != 0, board.loss == nil, now - signalledSince < 200_000_000 { return false }
        return now - signalledSince > 400_000_000 || live(now).allSatisfy { board[.frozen, $0] == 1 }
    }

    /// The live rank of the node with the newest snapshot; the first among equals.
    private func elected(_ now: Int64) -> Int {
        let live = live(now)
        let newest = live.map { board[.snapshot, $0] }.max() ?? 0
        return live.first { board[.snapshot, $0] == newest } ?? board.node.rank
    }

    private func live(_ now: Int64) -> [Int] {
        board.worldRanks.indices.filter {
            $0 == board.node.rank
                || (board[.done, $0] == 0 && !board.isDead($0) && now - board[.watched, $0] < 500_000_000)
        }
    }

    // MARK: - Lost files

    /// Ends the job because a thread of this rank cannot read a mapped file any more; the thread waits for that. The last step
    /// is saved if the file itself is unchanged, for example after an error of its disk.
    private func endForLostFile(_ path: String) {
        let sentence =
            "\(path) was cut short, or cannot be read any more, while it was in use; restore it and start again to "
            + "continue from the last checkpoint"
        tell("unolora-dist: rank \(world.rank) on \(host): \(sentence)")
        let step = beginFailure(saves: true)
        _ = end(.failed, "rank \(world.rank): \(sentence)", step, ExitCode.badData.rawValue)
        world.abort(.badData)
    }

    // MARK: - Lost ranks

    /// Ends the job because of a lost rank, like after a signal; the thread of the ring may call it too.
    private func endForLostRank(_ sentence: String) {
        board.found(sentence)
        _ = board.replace(.signal, 0, by: Int64(SIGTERM))
    }
}
