import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// The line of progress on a terminal that `script` makes.
    @Suite struct LiveLineCommandTests {
        /// Runs a line of a shell on a terminal of so many columns.
        private static func onTerminal(
            _ line: String, columns: Int = 80, environment: [String: String] = [:]
        ) throws -> Program.Result {
            try Program.run(
                command: [
                    "script", "--quiet", "--return", "--command", "stty cols \(columns); \(line)", "/dev/null",
                ], environment: environment)
        }

        private static func shellLine(_ arguments: [String]) -> String {
            ([Program.path] + arguments).map { "'\($0)'" }.joined(separator: " ")
        }

        /// The texts that were shown one over the other.
        private static func shown(_ result: Program.Result) -> [Substring] {
            result.output.replacing("\r\n", with: "\n").split(separator: "\n").filter { $0.contains("\r") }
                .flatMap { $0.split(separator: "\r") }
        }

        @Test(arguments: [50, 80, 200])
        func `a training keeps one line within the width of its terminal`(columns: Int) throws {
            let project = try TinyProject()
            let result = try Self.onTerminal(
                Self.shellLine(project.train(["--set", "train.steps=40"])), columns: columns)
            #expect(result.code == 0, "\(result)")
            #expect(!result.output.contains("\u{1B}"), "no colours and no control sequences")
            let shown = Self.shown(result)
            #expect(!shown.isEmpty)
            for text in shown { #expect(text.count < columns, "\(text)") }
            // Other text begins on a line of its own.
            #expect(result.output.replacing("\r\n", with: "\n").contains("\nstep 40: validation average "))
            #expect(result.output.replacing("\r\n", with: "\n").contains("\nstep 40: colour accuracy "))
        }

        @Test func `seven digits of steps fit into 50 columns`() throws {
            let project = try TinyProject()
            let long = project.train(["--set", "train.steps=1000000", "--stop-after", "40"])
            let result = try Self.onTerminal(Self.shellLine(long), columns: 50)
            #expect(result.code == 85, "\(result)")
            let shown = Self.shown(result)
            #expect(shown.contains { $0.hasPrefix("1/1000000  loss ") }, "\(result.output)")
            for text in shown { #expect(text.count < 50, "\(text)") }
        }

        @Test func `an interrupted training leaves the cursor on a new line`() throws {
            let project = try TinyProject()
            let long = project.train(["--set", "train.steps=1000000", "--set", "log.every=1"])
            let command = try (project.tellingPids() + long).map { "'\($0)'" }.joined(separator: " ")
            let running = try RunningProgram(command: [
                "script", "--quiet", "--return", "--command", "stty cols 200; exec \(command)", "/dev/null",
            ])
            // The line of a step is shown before it is logged.
            running.wait { project.hasMetrics }
            #expect(kill(try project.pid(rank: 0), SIGINT) == 0)
            let result = try running.wait()
            #expect(result.code == 130, "\(result)")
            let output = result.output.replacing("\r\n", with: "\n")
            let last = try #require(output.range(of: "\rstep ", options: .backwards)?.lowerBound)
            let rest = output[last...].split(separator: "\n", omittingEmptySubsequences: false)
            // What follows on the same line would have been appended to the progress.
            #expect(rest.count > 1 && rest[0].contains(#/^\rstep \d+\/1000000 .* time left [0-9:]+ *$/#), "\(rest)")
            #expect(output.hasSuffix("\n"), "\(rest)")
        }

        @Test(arguments: [[:], ["NO_COLOR": "1"]])
        func `no command writes colours or control sequences on a terminal`(environment: [String: String]) throws {
            let project = try TinyProject()
            #expect(try Program.run(project.train()).code == 0)
            let lines = try project.write("lines.txt", "baran cesel ditim\n\n")
            let run = project.file("run")
            let commands: [([String], Int32, String)] = [
                (["--help"], 0, "SUBCOMMANDS"), (["train", "--help"], 0, "--stop-after"),
                (["keys", "lora"], 0, "lora.rank"),
                (["evaluate", run], 0, "colour"),
                (["predict", run, "--task", "colour", "--input", lines], 65, "\"answer\""),
                (["evaluate", "nowhere"], 66, "unolora-dist: "),
                (["train", "--set", "lora.rnk=3"], 78, "did you mean"),
                (["trian"], 64, "did you mean"), (["train", "--nonsense"], 64, "Error"),
            ]
            for (arguments, code, mark) in commands {
                let result = try Self.onTerminal(
                    Self.shellLine(arguments), environment: environment.merging(["TERM": "xterm-256color"]) { $1 })
                #expect(result.code == code && result.output.contains(mark), "\(arguments): \(result)")
                #expect(!result.output.contains("\u{1B}"), "\(arguments): \(result.output)")
            }
        }

        @Test func `a pipe gets whole lines`() throws {
            let project = try TinyProject()
            let result = try Program.run(project.train(), ranks: 2)
            #expect(result.code == 0 && !result.output.contains("\r"), "\(result)")
            #expect(result.output.contains("step 12/12  loss "))
        }

        @Test func `under mpirun a pipe gets a line again and again while the training runs`() throws {
            let project = try TinyProject()
            try project.write("out.txt", "")
            func lines() -> Int {
                let text = (try? String(contentsOfFile: project.file("out.txt"), encoding: .utf8)) ?? ""
                return text.split(separator: "\n").count { $0.contains(#/^step \d+\/1000000  loss /#) }
            }
            let running = try RunningProgram(
                command: project.tellingPids()
                    + project.train(["--set", "train.steps=1000000", "--set", "eval.every=null"]),
                ranks: 2, output: FileHandle(forWritingAtPath: project.file("out.txt")))
            running.wait { lines() >= 2 }
            #expect(kill(try project.pid(rank: 0), SIGUSR1) == 0)
            #expect(try running.wait().code == 85)
        }
    }
}
