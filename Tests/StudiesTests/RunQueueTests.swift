import Failures
import Foundation
import Runs
import Synchronization
import TestSupport
import Testing

@testable import Studies

/// The queue with a script in the place of the program: it holds its run directory by a lock, as `train` does, writes a line for
/// each time that it trains, and leaves what a finished run leaves.
@Suite struct RunQueueTests {
    private static let script = """
        #!/bin/sh
        # train --config FILE --out DIRECTORY ...
        mkdir -p "$5"
        exec 9>"$5/.lock"
        flock -n 9 || { echo "unolora-dist: the run directory $5 is in use by another" >&2; exit 74; }
        grep -q finished "$5/STATUS.json" 2>/dev/null && exit 0
        echo "$$" >>"$5/begun"
        sleep 0.3
        cp "$3" "$5/config.yaml"
        echo '{"state": "finished", "reason": "", "exitCode": 0, "step": 1, "steps": 1, "time": 0}' >"$5/STATUS.new"
        mv "$5/STATUS.new" "$5/STATUS.json"

        """

    private let temporary: TemporaryDirectory
    private let directory: StudyDirectory
    private let program: String

    init() throws {
        temporary = try TemporaryDirectory()
        directory = StudyDirectory(temporary.file("study"))
        program = try temporary.write("program.sh", Self.script)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: program)
    }

    private func study(_ text: String) throws -> Study { try StudiesTests.study(text, directory: directory.runs) }

    private func queue(
        _ study: Study, part: Int = 0, of count: Int = 1, program: String? = nil, patience: Duration = .zero
    ) throws -> RunQueue {
        RunQueue(
            directory, states: RunStates(study, in: directory, adapter: { _ in nil }, change: { _, _ in nil }),
            study: study,
            share: try Share(rank: part, ranks: count, environment: [:]), threads: 1, program: program ?? self.program,
            environment: ["PATH": "/bin:/usr/bin"], patience: patience)
    }

    /// How often each run was trained.
    private func begun(_ study: Study) -> [Int] {
        study.runs.map { run in
            let text = FileManager.default.contents(atPath: directory.run(run).path + "/begun") ?? Data()
            return text.count { $0 == UInt8(ascii: "\n") }
        }
    }

    private static let rows = """
        rows:
          - {name: warm, from: source, tasks: [rte]}
          - {name: source, tasks: [cola]}
          - {name: fresh, tasks: [rte]}
        seeds: [1, 2, 3, 4]

        """

    @Test func `every run is trained once, after the one with whose adapter it begins`() throws {
        let study = try study(Self.rows + "parallel: 3\n")
        #expect(try queue(study)() == RunQueue.Ending())
        #expect(begun(study) == [Int](repeating: 1, count: 12))
        func time(_ row: String, _ seed: Int, _ file: String) throws -> Date {
            let attributes = try FileManager.default.attributesOfItem(
                atPath: "\(directory.runs)/\(row)/seed-\(seed)/\(file)")
            return try #require(attributes[.modificationDate] as? Date)
        }
        for seed in 1...4 {
            #expect(try time("warm", seed, "begun") >= time("source", seed, "STATUS.json"))
        }
        #expect(try queue(study)() == RunQueue.Ending())
        #expect(begun(study) == [Int](repeating: 1, count: 12))
    }

    /// A queue that one other thread gets.
    private struct Work: @unchecked Sendable {
        let queue: RunQueue
    }

    /// The first part is alone and makes all runs; in the other study five parts begin together.
    @Test func `a process takes over what others have not begun, and no run is trained twice`() throws {
        let study = try study(Self.rows)
        #expect(try queue(study, part: 0, of: 5)() == RunQueue.Ending())
        #expect(begun(study) == [Int](repeating: 1, count: 12))
        try FileManager.default.removeItem(atPath: directory.path)
        let endings = Mutex<[RunQueue.Ending]>([])
        let group = DispatchGroup()
        for part in 0..<5 {
            let work = Work(queue: try queue(study, part: part, of: 5, patience: .seconds(20)))
            group.enter()
            Thread.detachNewThread {
                let ending = work.queue()
                endings.withLock { $0.append(ending) }
                group.leave()
            }
        }
        group.wait()
        #expect(endings.withLock(\.self) == [RunQueue.Ending](repeating: RunQueue.Ending(), count: 5))
        #expect(begun(study) == [Int](repeating: 1, count: 12))
    }

    @Test func `a run that failed in another process is not tried again by this one`() throws {
        let study = try study(Self.rows)
        let other = try #require(study.runs.first { $0.name == "fresh/seed-4" })
        try directory.write("a loss is not finite\n", to: directory.failure(other))
        #expect(try queue(study, part: 0, of: 5)() == RunQueue.Ending())
        #expect(zip(study.runs, begun(study)).allSatisfy { run, count in count == (run == other ? 0 : 1) })
    }

    @Test func `a run that cannot be started is a failed cell, and the others are tried`() throws {
        let study = try study("rows: [{name: a}]\nseeds: [1, 2]\n")
        let nowhere = directory.path + "/program"
        #expect(try queue(study, program: nowhere)() == RunQueue.Ending(failed: ExitCode.systemRefused.rawValue))
        let states = RunStates(study, in: directory, adapter: { _ in nil }, change: { _, _ in nil })
        let reason = "\(nowhere) cannot be started: No such file or directory"
        #expect(study.runs.map(states.state) == [.failed(reason), .failed(reason)])
        // With the program in its place they are tried again.
        #expect(try queue(study)() == RunQueue.Ending())
        #expect(begun(study) == [1, 1])
    }

    /// Otherwise a machine that can start nothing would make all runs of a study fail.
    @Test func `a process that cannot start its runs leaves those of others alone`() throws {
        let study = try study("rows: [{name: a}]\nseeds: [1, 2, 3]\n")
        #expect(try queue(study, part: 1, of: 3, program: "/nowhere/program")().failed != nil)
        let states = RunStates(study, in: directory, adapter: { _ in nil }, change: { _, _ in nil })
        #expect(study.runs.map { states.state($0) == .open } == [true, false, true])
    }
}
