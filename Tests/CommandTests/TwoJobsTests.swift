import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Two jobs in one run directory: one of them is refused or ends, and no step is written twice.
    @Suite struct TwoJobsTests {
        private static let project = Swift.Result { try TinyProject() }
        private static let long = [
            "--set", "train.steps=100000", "--set", "log.every=1", "--set", "checkpoint.every=5", "--set",
            "eval.every=null",
        ]
        /// Makes flock fail with ENOSYS, as on Lustre without locks.
        private static let noLocks = ["LD_PRELOAD": Program.library("NoLocks")]

        /// A running job, and its process.
        private struct Job: @unchecked Sendable {
            let running: RunningProgram
            private let place: String
            private let output: String

            init(
                _ project: TinyProject, _ name: String, _ environment: [String: String] = [:],
                _ arguments: [String] = []
            ) throws {
                place = project.file("pid.\(name)")
                output = try project.write("\(name).out", "")
                let script = try project.write("\(name).sh", "echo $$ > \(place); exec \"$@\"\n")
                running = try RunningProgram(
                    command: ["sh", script, Program.path] + project.train(long + arguments), environment: environment,
                    output: FileHandle(forWritingAtPath: output))
            }

            var pid: pid_t? {
                (try? String(contentsOfFile: place, encoding: .utf8)).flatMap {
                    pid_t($0.trimmingCharacters(in: .whitespacesAndNewlines))
                }
            }

            /// The job's standard output so far.
            var said: String { (try? String(contentsOfFile: output, encoding: .utf8)) ?? "" }

            /// Ends the job like a user would.
            func end() throws -> Program.Result {
                #expect(kill(try #require(pid), SIGTERM) == 0)
                return try running.wait()
            }
        }

        /// The steps of the lines about training.
        private static func steps(_ project: TinyProject) throws -> [Int] {
            let text = try String(contentsOfFile: project.file("run/metrics.jsonl"), encoding: .utf8)
            return try text.split(separator: "\n").compactMap { line in
                let fields = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
                return fields?["kind"] as? String == "train" ? try #require(fields?["step"] as? Int) : nil
            }
        }

        private static func expectEachStepOnce(_ project: TinyProject) throws {
            let steps = try steps(project)
            #expect(!steps.isEmpty && steps == Array(1...steps.count))
        }

        private static func remove(_ project: TinyProject, _ names: String...) {
            for name in names { #expect(unlink(project.file("run/" + name)) == 0, "\(name) is not there") }
        }

        @Test func `without locks a second job is refused and each step stands once`() throws {
            let project = try Self.project.get().copy()
            let first = try Job(project, "first", Self.noLocks)
            first.running.wait { project.hasMetrics }
            // Otherwise the test shows nothing.
            let lock = open(project.file("run/.lock"), O_RDWR)
            #expect(lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0, "the library has no effect")
            close(lock)
            let second = try Program.run(project.train(Self.long), environment: Self.noLocks)
            #expect(second.code == 74 && second.sentences.count == 1, "\(second.error)")
            #expect(second.error.contains("is in use by process \(try #require(first.pid)) on "), "\(second.error)")
            let ended = try first.end()
            #expect(ended.code == 143, "\(ended)")
            try Self.expectEachStepOnce(project)
            // The lease of a process that has ended delays nobody.
            let again = try Program.run(
                project.train(Self.long + ["--stop-after", "1"]), environment: Self.noLocks)
            #expect(again.code == 85, "\(again)")
            #expect(!again.output.contains("waiting"), "\(again.output)")
            try Self.expectEachStepOnce(project)
        }

        @Test func `without locks one of two jobs that start together is refused`() throws {
            let project = try Self.project.get().copy()
            let jobs = try ["first", "second"].map { try Job(project, $0, Self.noLocks) }
            let ended = Ended(jobs.count)
            for (index, job) in jobs.enumerated() {
                Thread { ended.note(index, try? job.running.wait()) }.start()
            }
            let (loser, refused) = try #require(ended.next())
            #expect(refused.code == 74 && refused.error.contains("is in use by process "), "\(refused.error)")
            for _ in 0..<500 where !project.hasMetrics { usleep(20_000) }
            #expect(kill(try #require(jobs[1 - loser].pid), SIGTERM) == 0)
            #expect(try #require(ended.next()).result.code == 143)
            try Self.expectEachStepOnce(project)
        }

        @Test func `a second job is refused though the lock's file was removed`() throws {
            let project = try Self.project.get().copy()
            let first = try Job(project, "first")
            first.running.wait { project.hasMetrics }
            Self.remove(project, ".lock")
            let second = try Program.run(project.train(Self.long))
            #expect(second.code == 74 && second.sentences.count == 1, "\(second.error)")
            #expect(second.error.contains("is in use by process \(try #require(first.pid)) on "), "\(second.error)")
            let ended = try first.end()
            #expect(ended.code == 143, "\(ended)")
            try Self.expectEachStepOnce(project)
        }

        @Test func `a job whose lease was removed too ends when another one has the directory`() throws {
            let project = try Self.project.get().copy()
            let first = try Job(project, "first")
            first.running.wait { (try? Self.steps(project).count > 6) == true }
            Self.remove(project, ".lock", ".lease")
            let second = try Job(project, "second")
            let result = try first.running.wait()
            #expect(result.code == 74 && result.sentences.count == 1, "\(result.error)")
            #expect(
                result.error.contains("run has been taken over by process \(try #require(second.pid)) on "),
                "\(result.error)")
            let ended = try second.end()
            #expect(ended.code == 143, "\(ended)")
            try Self.expectEachStepOnce(project)
            #expect(try Status(run: project.file("run")).exitCode == 143)
        }

        /// Ranks on a node that was cut off may still be alive when SLURM has started the job again on other nodes.
        @Test(arguments: [true, false])
        func `a job that SLURM started again waits for the one that still has the directory`(hasLocks: Bool) throws {
            let project = try Self.project.get().copy()
            let environment = hasLocks ? [:] : Self.noLocks
            let first = try Job(project, "first", environment)
            first.running.wait { project.hasMetrics }
            let restarted = environment.merging(["SLURM_RESTART_COUNT": "1"]) { $1 }
            let (second, third) = (
                try Job(project, "second", restarted, ["--stop-after", "1"]), try Job(project, "third", restarted)
            )
            first.running.wait {
                [second, third].allSatisfy { $0.said.contains(" has ") && $0.said.contains("waiting") }
            }
            // A job that is asked to end while it waits does so.
            #expect(try third.end().code == 143)
            let ended = try first.end()
            #expect(ended.code == 143, "\(ended)")
            let result = try second.running.wait()
            #expect(result.code == 85, "\(result)")
            try Self.expectEachStepOnce(project)
        }

        /// Results in the order in which they arrive.
        private final class Ended: @unchecked Sendable {
            private let lock = NSLock()
            private let came = DispatchSemaphore(value: 0)
            private var results: [(index: Int, result: Program.Result)] = []

            init(_ count: Int) { results.reserveCapacity(count) }

            func note(_ index: Int, _ result: Program.Result?) {
                if let result { lock.withLock { results.append((index, result)) } }
                came.signal()
            }

            func next() -> (index: Int, result: Program.Result)? {
                came.wait()
                return lock.withLock { results.isEmpty ? nil : results.removeFirst() }
            }
        }
    }
}
