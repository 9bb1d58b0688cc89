import Foundation
import Kernels
import TestSupport
import Testing

extension ProgramTests {
    /// `jobs.jsonl` and the rank's log: what happened to a run, in its directory.
    @Suite struct JobsFileTests {
        private struct Line: Decodable {
            var kind: String
            var step: Int
            var ranks: Int?
            var state: String?
            var reason: String?
            var exitCode: Int32?
            var lastDurableStep: Int?
            var job: String?
            var time: String
            var libraries: [String: String]?
        }

        private func lines(_ project: TinyProject) throws -> [Line] {
            let content = try #require(FileManager.default.contents(atPath: project.file("run/jobs.jsonl")))
            return try content.split(separator: 0x0A).map { try JSONDecoder().decode(Line.self, from: $0) }
        }

        @Test func `each job leaves its start and its end`() throws {
            let project = try TinyProject()
            #expect(try Program.run(project.train(["--stop-after", "5"]), ranks: 2).code == 85)
            #expect(try Program.run(project.train()).code == 0)
            let lines = try lines(project)
            #expect(lines.map(\.kind) == ["start", "end", "start", "end"])
            #expect(lines.map(\.step) == [0, 5, 5, 12])
            #expect(lines.map(\.ranks) == [2, nil, 1, nil])
            #expect(lines.map(\.state) == [nil, "preempted", nil, "finished"])
            #expect(lines.map(\.exitCode) == [nil, 85, nil, 0])
            #expect(lines[1].lastDurableStep == 5)
            for line in lines { #expect(ISO8601DateFormatter().date(from: line.time) != nil, "\(line.time)") }
            // A start that is refused changes nothing.
            #expect(try Program.run(project.train(["--resume", "never"])).code == 64)
            #expect(try self.lines(project).count == 4)
        }

        @Test(.enabled(if: ["avx2", "avx512"].contains(KernelBuild.loops), "needs AVX2"))
        func `a start says what computes, and a replay that the jobs were not computed alike`() throws {
            struct Environment: Decodable { var libraries: [String: String] }
            let project = try TinyProject()
            let plain = try Program.run(
                project.train(["--stop-after", "5"]), environment: ["UNOLORA_VECTORS": "plain"])
            #expect(plain.code == 85, "\(plain)")
            #expect(try Program.run(project.train()).code == 0)
            let starts = try lines(project).filter { $0.kind == "start" }.map(\.libraries)
            let environment = try JSONDecoder().decode(
                Environment.self, from: Data(contentsOf: URL(fileURLWithPath: project.file("run/environment.json"))))
            #expect(starts.last == environment.libraries, "\(starts)")
            let kernels = starts.map { $0?["kernels"] ?? "" }
            #expect(kernels[0].contains("without vectors") && !kernels[1].contains("without vectors"), "\(kernels)")
            #expect(try lines(project).filter { $0.kind == "end" }.allSatisfy { $0.libraries == nil })
            let replay = try Program.run(["reproduce", project.file("run")])
            let note =
                "note: the run's jobs were not computed alike: kernels was \(kernels[0]) from the start and then "
                + "\(kernels[1]) after step 5; a replay has one for all steps"
            #expect(replay.output.contains(note), "\(replay)")
            // Up to the fifth step there is one.
            let begin = try Program.run(["reproduce", project.file("run"), "--steps", "5"])
            #expect(!begin.output.contains("not computed alike"), "\(begin)")
        }

        @Test func `start and end have SLURM's number of the job`() throws {
            let project = try TinyProject()
            let first = try Program.run(project.train(["--stop-after", "5"]), environment: ["SLURM_JOB_ID": "77"])
            #expect(first.code == 85, "\(first)")
            #expect(try Program.run(project.train()).code == 0)
            #expect(try lines(project).map(\.job) == ["77", "77", nil, nil])
        }

        @Test func `a killed job leaves a start without an end`() throws {
            let project = try TinyProject()
            let long = project.train(["--set", "train.steps=100000", "--set", "log.every=1"])
            let running = try RunningProgram(command: project.tellingPids() + long)
            running.wait { project.hasMetrics }
            kill(try project.pid(rank: 0), SIGKILL)
            _ = try running.wait()
            #expect(try lines(project).map(\.kind) == ["start"])
            // The next start repeats what was not saved and ends as if nothing had been.
            let next = try Program.run(
                long.prefix(while: { $0 != "--set" }) + ["--set", "train.steps=100000", "--stop-after", "1"])
            #expect(next.code == 85, "\(next)")
            #expect(try lines(project).map(\.kind) == ["start", "start", "end"])
        }

        @Test(arguments: [nil, 2])
        func `the sentence of a failure is in the log of its rank`(ranks: Int?) throws {
            let project = try TinyProject()
            let result = try Program.run(
                project.train(["--set", "lr.peak=1e30", "--set", "lr.warmup=0"]), ranks: ranks)
            #expect(result.code == 86, "\(result)")
            let end = try #require(try lines(project).last)
            let status = try Status(run: project.file("run"))
            #expect(end.kind == "end" && end.state == "failed" && end.exitCode == 86 && end.step == status.step)
            let reason = try #require(end.reason)
            // The reason begins with the rank.
            let rank = try #require(Int(reason.dropFirst("rank ".count).prefix(1)))
            let sentence = reason.dropFirst("rank 0: ".count)
            #expect(result.error.contains(sentence), "\(result.error) \(reason)")
            let log = try String(contentsOfFile: project.file("run/logs/rank-0000\(rank).log"), encoding: .utf8)
            #expect(log.contains("error exit code 86: \(sentence)\n"), "\(log)")
        }

        @Test func `the directory says how many texts were cut and what the vocabulary does not know`() throws {
            struct Report: Decodable {
                struct Part: Decodable { var count: Int }
                struct Sources: Decodable { var cut, unknownTokens, unknownCharacters, withUnknown: Part }
                struct Split: Decodable { var sources: Sources }
                struct Task: Decodable { var splits: [Split] }
                var maxSource: Int
                var tasks: [Task]
            }
            let project = try TinyProject()
            let rows = try String(contentsOfFile: project.file("colour/train.tsv"), encoding: .utf8)
            try project.write("colour/train.tsv", rows + "baran cesel ditim §\tr\n")
            #expect(try Program.run(project.train(["--set", "data.maxSource=6", "--stop-after", "1"])).code == 85)
            let report = try JSONDecoder().decode(
                Report.self, from: #require(FileManager.default.contents(atPath: project.file("run/data.json"))))
            let train = report.tasks[0].splits[0].sources
            // Each of the 121 sources has the task's name and four words or more.
            #expect(report.maxSource == 6 && train.cut.count == 121, "\(report)")
            #expect(train.unknownTokens.count == 1 && train.unknownCharacters.count == 1, "\(train)")
            #expect(train.withUnknown.count == 1, "\(train)")
        }

        @Test func `a start that is refused for its data says so in the directory`() throws {
            let project = try TinyProject()
            try project.write("colour/train.tsv", "sentence\tlabel\nba ce\tpurple\n")
            let result = try Program.run(project.train())
            #expect(result.code == 65, "\(result)")
            #expect(try lines(project).map(\.exitCode) == [65])
            let log = try String(contentsOfFile: project.file("run/logs/rank-00000.log"), encoding: .utf8)
            #expect(log.contains("exit code 65: ") && log.contains("purple"), "\(log)")
        }
    }
}
