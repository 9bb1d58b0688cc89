import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// `predict --output` that is interrupted and continued.
    @Suite struct PredictResumeTests {
        private typealias Lines = PredictCommandTests

        /// A project, an input of some seconds, and its answers.
        private static let shared = Swift.Result {
            let project = try PredictCommandTests.shared.get().copy()
            var lines = PredictCommandTests.mixedLines(3_000)
            lines[1_111] = "bad"
            try project.write("input", lines.joined(separator: "\n") + "\n")
            let result = try Program.run(
                ["predict", project.file("run"), "--scores", "--input", project.file("input")])
            #expect(result.code == 65, "\(result.error)")
            return (project, result.output)
        }

        private static func command(_ project: TinyProject, _ output: String, _ arguments: [String] = []) -> [String] {
            ["predict", project.file("run"), "--scores", "--resume", "--output", project.file(output)]
                + (arguments.contains("--input") ? arguments : ["--input", project.file("input")] + arguments)
        }

        private static func text(_ path: String) -> String {
            String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
        }

        @Test(arguments: [nil, 2])
        func `killed again and again, it ends with the same file`(ranks: Int?) throws {
            let (project, whole) = try Self.shared.get()
            let output = project.file("killed-\(ranks ?? 1)")
            var kills = 0
            for lines in [1, 700, 1_500] {
                let running = try RunningProgram(
                    command: try project.tellingPids()
                        + Self.command(project, "killed-\(ranks ?? 1)"), ranks: ranks)
                running.wait { Self.text(output).count { $0 == "\n" } >= lines }
                if kill(try project.pid(rank: 0), SIGKILL) == 0 { kills += 1 }
                _ = try running.wait()
            }
            #expect(kills == 3 && Self.text(output) != whole)
            #expect(whole.hasPrefix(Self.text(output)))
            let result = try Program.run(Self.command(project, "killed-\(ranks ?? 1)"), ranks: ranks)
            #expect(result.code == 65, "\(result.error)")
            #expect(Self.text(output) == whole)
            #expect(result.error.contains("3000 with those answered before"), "\(result.error)")
            #expect(result.error.contains("1 of 3000 could not be answered"), "\(result.error)")
        }

        /// Stops a command (SIGSTOP) as soon as a condition holds, so that it cannot finish before what a test does next.
        private static func hold(_ running: RunningProgram, _ project: TinyProject, when holds: () -> Bool) {
            running.wait {
                let deadline = ContinuousClock.now + .milliseconds(20)
                repeat {
                    if holds() { return (try? kill(project.pid(rank: 0), SIGSTOP)) == 0 }
                } while ContinuousClock.now < deadline
                return false
            }
        }

        @Test func `a stopped one goes on, and a finished one says so`() throws {
            let (project, whole) = try Self.shared.get()
            let output = project.file("stopped")
            for signal in [SIGTERM, SIGINT] {
                let running = try RunningProgram(
                    command: try project.tellingPids() + Self.command(project, "stopped"))
                let before = Self.text(output).utf8.count
                Self.hold(running, project) { Self.text(output).utf8.count > before }
                #expect(kill(try project.pid(rank: 0), signal) == 0)
                #expect(kill(try project.pid(rank: 0), SIGCONT) == 0)
                let result = try running.wait()
                #expect(result.code == 128 + signal && result.seconds < Program.promptly, "\(result.code)")
            }
            // From a pipe it would be another input.
            let piped = try Program.run(
                command: ["bash", "-c", #"cat "$0" | "$@""#, project.file("input"), Program.path]
                    + Self.command(project, "stopped", ["--input", "-"]))
            #expect(piped.code == 78 && piped.error.contains("now it is a pipe"), "\(piped.error)")
            #expect(try Program.run(Self.command(project, "stopped")).code == 65)
            #expect(Self.text(output) == whole)
            let again = try Program.run(Self.command(project, "stopped"))
            #expect(again.code == 65 && Self.text(output) == whole)
            #expect(again.error.contains("has the answers to all 3000 lines already: 1 of 3000"), "\(again.error)")
        }

        /// Every byte of the file is cut at in `AnswerFileTests`; here the whole command continues.
        @Test func `it goes on after a cut anywhere`() throws {
            let (project, whole) = try Self.shared.get()
            let short = try project.write(
                "short", Self.text(project.file("input")).split(separator: "\n").prefix(40).joined(separator: "\n"))
            let expected = whole.split(separator: "\n").prefix(40).joined(separator: "\n") + "\n"
            let output = project.file("cut")
            for length in [0, 1, 100, expected.utf8.count / 2, expected.utf8.count - 1] {
                try? FileManager.default.removeItem(atPath: output)
                try? FileManager.default.removeItem(atPath: output + ".state.json")
                #expect(try Program.run(Self.command(project, "cut", ["--input", short])).code == 0)
                #expect(Self.text(output) == expected)
                #expect(truncate(output, length) == 0)
                let result = try Program.run(
                    Self.command(project, "cut", ["--input", short]), ranks: length == 100 ? 2 : nil)
                #expect(result.code == 0, "\(result.error)")
                #expect(Self.text(output) == expected)
            }
        }

        @Test func `from a pipe the answered lines are skipped and checked`() throws {
            let (project, whole) = try Self.shared.get()
            let output = project.file("piped")
            func run(_ source: String) throws -> Program.Result {
                try Program.run(
                    command: ["bash", "-c", "\(source) | \"$@\"", "bash", Program.path]
                        + Self.command(project, "piped", ["--input", "-"]), directory: project.path)
            }
            #expect(try run("head -n 100 input").code == 0)
            // As if it had been interrupted before the end of the input.
            let state = output + ".state.json"
            try Self.text(state).replacing("\"isFinished\" : true", with: "\"isFinished\" : false")
                .write(toFile: state, atomically: true, encoding: .utf8)
            let other = try run("sed '50s/a/e/' input")
            #expect(other.code == 65 && other.error.contains("the first 100 lines"), "\(other.error)")
            let short = try run("head -n 60 input")
            #expect(short.code == 65 && short.error.contains("ends after 60 lines"), "\(short.error)")
            #expect(try run("cat input").code == 65)
            #expect(Self.text(output) == whole)
        }

        @Test func `with something else it is refused, and names it`() throws {
            let (project, _) = try Self.shared.get()
            let copy = try project.copy()
            try copy.write("few", PredictCommandTests.mixedLines(3).joined(separator: "\n"))
            let output = copy.file("few-answers")
            let begin = ["predict", copy.file("run"), "--input", copy.file("few"), "--output", output]
            #expect(try Program.run(begin).code == 0)
            let before = Self.text(output)
            let exists = try Program.run(begin)
            #expect(exists.code == 64 && exists.error.contains("exists already; add --resume"), "\(exists.error)")
            try copy.write("other", PredictCommandTests.mixedLines(4).joined(separator: "\n"))
            try copy.write("equal", Self.text(copy.file("few")).replacing("baran", with: "baren"))
            for (arguments, words) in [
                (["--task", "colour"], "it was begun with no --task"), (["--scores"], "without --scores"),
                (["--checkpoint", "4"], "the checkpoint has other weights"),
                (["--input", copy.file("other")], "the input had"),
                (["--input", copy.file("equal")], "another content"),
            ] {
                let result = try Program.run(
                    (arguments[0] == "--input" ? Array(begin[..<2] + begin[4...]) : begin) + arguments + ["--resume"])
                #expect(result.code == 78 && result.error.contains(words), "\(result.code) \(result.error)")
                #expect(result.sentences.count == 1 && Self.text(output) == before)
            }
            let state = Self.text(output + ".state.json")
            try FileManager.default.removeItem(atPath: output + ".state.json")
            let missing = try Program.run(begin + ["--resume"])
            #expect(missing.code == 64 && missing.error.contains("state.json, which says"), "\(missing.error)")
            try copy.write("few-answers.state.json", state)
            let lines = before.split(separator: "\n")
            try copy.write("few-answers", lines[0] + "\n" + lines[2] + "\n" + lines[1] + "\n")
            let changed = try Program.run(begin + ["--resume"])
            #expect(changed.code == 65 && changed.error.contains("line 2 is not the answer"), "\(changed.error)")
        }

        @Test(.enabled(if: SmallDisk.isAvailable, "mounting a small tmpfs needs root with the right to mount"))
        func `a full disk ends it with 74, and nothing is lost or doubled`() throws {
            let (project, whole) = try Self.shared.get()
            let disk = try SmallDisk(kilobytes: 1_300)
            let filler = disk.path + "/filler"
            try Data(count: 800 << 10).write(to: URL(fileURLWithPath: filler))
            let command = [
                "predict", project.file("run"), "--scores", "--resume", "--input", project.file("input"), "--output",
                disk.path + "/answers",
            ]
            for _ in 0..<2 {
                let full = try Program.run(command)
                #expect(full.code == 74 && full.sentences.count == 1, "\(full.error)")
                #expect(full.error.contains("No space left on device"), "\(full.error)")
            }
            try FileManager.default.removeItem(atPath: filler)
            #expect(whole.utf8.count < 1_200 << 10, "\(whole.utf8.count) bytes of answers do not fit on the disk")
            #expect(try Program.run(command).code == 65)
            #expect(Self.text(disk.path + "/answers") == whole)
            withExtendedLifetime(disk) {}
        }

        @Test func `two at once do not write one file`() throws {
            let (project, _) = try Self.shared.get()
            let running = try RunningProgram(
                command: try project.tellingPids() + Self.command(project, "twice"))
            Self.hold(running, project) { FileManager.default.fileExists(atPath: project.file("twice.state.json")) }
            let second = try Program.run(Self.command(project, "twice"))
            #expect(second.code == 74 && second.error.contains("by another process"), "\(second.error)")
            kill(try project.pid(rank: 0), SIGKILL)
            _ = try running.wait()
        }
    }
}
