import Foundation
import TestSupport
import Testing

extension ProgramTests {
    @Suite struct CommandLineTests {
        @Test(arguments: [
            ["train", "--nonsense"], ["nonsense", "more"], ["train", "--stop-after", "soon"], ["verify"], ["new-model"],
            ["train", "--stop-after", "0"], ["train", "--out", ""], ["train", "--config", ""], ["train", "--set", "a"],
            ["train", "--set", "=1"], ["train", "--resume", ""], ["prepare", "--config", "run.yaml", "--out", ""],
            ["new-model", "--preset", "t5-mini", "--out", ""], ["evaluate", ""], ["evaluate", "run", "--split", "dev"],
            ["evaluate", "run", "--tasks", ""], ["evaluate", "run", "--tasks", "a,,b"], ["doctor", "--set", "a=b"],
            ["predict", "run", "--task", ""], ["trian"], ["help", "trian"], ["exprot", "run"], ["analyze"],
        ])
        func `a wrong command line ends with 64 and says how it goes`(arguments: [String]) throws {
            let directory = try TemporaryDirectory()
            let result = try Program.run(arguments, directory: directory.path)
            #expect(result.code == 64, "\(result.error)")
            #expect(result.error.contains("Error: "))
            #expect(result.error.contains("--help"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
        }

        @Test(arguments: [
            (["trian"], "there is no command trian; did you mean train?"),
            (["help", "trian"], "there is no command trian; did you mean train?"),
            (["run.yaml"], "there is no command run.yaml; the commands are train, evaluate, predict,"),
        ])
        func `a first word that is no command is named`(arguments: [String], sentence: String) throws {
            let directory = try TemporaryDirectory()
            let result = try Program.run(arguments, directory: directory.path)
            #expect(result.code == 64 && result.error.hasPrefix("Error: \(sentence)"), "\(result)")
            #expect(!result.error.contains("--stop-after"), "\(result.error)")
        }

        @Test(arguments: [["help"], ["help", "train"], ["help", "help"]])
        func `help of what there is ends with 0`(arguments: [String]) throws {
            #expect(try Program.run(arguments).code == 0)
        }

        /// README.md has the same codes and says more of each.
        @Test func `the help of both programs has the exit codes that they end with`() throws {
            let readme =
                URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().path + "/README.md"
            let text = try String(contentsOfFile: readme, encoding: .utf8)
            let section = try #require(text.split(separator: "## Exit codes").last)
            let documented = section.matches(of: #/\n\| ([0-9]+) \|/#).map { String($0.1) }
            #expect(documented.first == "0" && documented.count == 14, "\(documented)")
            func listed(_ program: String) throws -> [String] {
                let help = try Program.run(command: [program, "--help"])
                #expect(help.code == 0, "\(help)")
                let words = help.output.split { $0.isWhitespace }.joined(separator: " ")
                let list = try #require(words.firstMatch(of: #/Exit codes: (.*?)\. /#)?.1)
                return list.matches(of: #/(?:^|, )([0-9]+) /#).map { String($0.1) }.filter { $0 != "130" }
            }
            #expect(try listed(Program.path) == documented)
            #expect(try listed(Program.benchmarks) == documented.filter { !["1", "85"].contains($0) })
        }

        /// The argument parser writes them; the shell must be able to read them, and they must know our commands and files.
        @Test func `completions for shells have all commands and complete files`() throws {
            let directory = try TemporaryDirectory()
            let bash = try Program.run(["--generate-completion-script", "bash"])
            #expect(bash.code == 0, "\(bash)")
            let file = try directory.write("unolora-dist.bash", bash.output)
            let read = try Program.run(command: [
                "bash", "-c",
                "source '\(file)' && complete -p unolora-dist && COMP_WORDS=(unolora-dist tr) COMP_CWORD=1 && "
                    + "cur=tr && $(complete -p unolora-dist | sed -E 's/.*-F ([^ ]+).*/\\1/') unolora-dist tr unolora-dist; "
                    + "echo \"${COMPREPLY[@]}\"",
            ])
            #expect(read.code == 0 && read.output.hasSuffix("\ntrain\n"), "\(read)")
            for command in ["evaluate", "predict", "tasks", "keys", "plan", "study", "export"] {
                #expect(bash.output.contains(command), "\(command)")
            }
            #expect(bash.output.contains("yaml"))
            for shell in ["zsh", "fish"] {
                let script = try Program.run(["--generate-completion-script", shell])
                #expect(script.code == 0 && script.output.contains("train"), "\(script)")
            }
        }

        @Test(.enabled(if: isInstalled("zsh"), "zsh is not installed"))
        func `zsh reads its completions`() throws { try checkSyntax(with: "zsh") }

        @Test(.enabled(if: isInstalled("fish"), "fish is not installed"))
        func `fish reads its completions`() throws { try checkSyntax(with: "fish") }

        private static func isInstalled(_ shell: String) -> Bool {
            FileManager.default.isExecutableFile(atPath: "/usr/bin/" + shell)
        }

        private func checkSyntax(with shell: String) throws {
            let directory = try TemporaryDirectory()
            let script = try Program.run(["--generate-completion-script", shell])
            let read = try Program.run(command: [shell, "-n", directory.write("completions", script.output)])
            #expect(read.code == 0 && read.error.isEmpty, "\(read)")
            let broken = try Program.run(command: [shell, "-n", directory.write("broken", script.output + "\nif (")])
            #expect(broken.code != 0, "the check can fail")
        }

        @Test func `several ranks say once that the command line is wrong`() throws {
            let result = try Program.run(["train", "--set", "lora.rank"], ranks: 3)
            #expect(result.code == 64, "\(result.error)")
            #expect(result.error.contains("'lora.rank'") && result.error.contains("key=value"), "\(result.error)")
            #expect(result.error.split(separator: "\n").count { $0.hasPrefix("Error: ") } == 1, "\(result.error)")
            let version = try Program.run(["--version"], ranks: 3)
            #expect(version.code == 0 && version.output.split(separator: "\n").count == 1, "\(version.output)")
        }

        /// Usually all ranks have the same command line and rank 0 reports a mistake in it; here only rank 1 has the mistake.
        @Test func `a rank alone with a wrong command line says so and ends the job`() throws {
            let project = try TinyProject()
            let command = try project.perRank("wrong=; [ $rank = 1 ] && wrong=--nonsense; exec \"$@\" $wrong\n")
            let result = try Program.run(command: command + ["doctor"], ranks: 2)
            #expect(result.code == 64, "\(result.code) \(result.error)")
            #expect(result.error.contains("--nonsense"), "\(result.error)")
        }

        @Test(arguments: [["doctor"], ["plan", "--config", "run.yaml"]])
        func `ranks with different commands are refused instead of waiting for each other`(other: [String]) throws {
            let project = try TinyProject()
            let command = try project.perRank(
                "[ $rank = 1 ] && exec \"$1\" \(other.joined(separator: " ")); exec \"$@\"\n")
            let result = try Program.run(command: command + project.train(), ranks: 2, directory: project.path)
            #expect(result.code == 87 && result.seconds < Program.promptly, "\(result)")
            #expect(
                result.sentences.count == 1
                    && result.error.contains("another command than rank 0 (command was train and is \(other[0]))"),
                "\(result.error)")
        }

        private static let refused: [([String], Int32)] = [
            (["evaluate", "nowhere"], 66), (["export", "nowhere", "--format", "peft", "--out", "new"], 64),
            (["predict", "nowhere", "--task", "colour"], 66),
            (["prepare", "--config", "nowhere"], 66), (["plan", "--config", "nowhere"], 66),
            (["doctor", "--config", "nowhere"], 66), (["verify", "nowhere"], 66),
            (["new-model", "--preset", "t5-huge", "--out", "new"], 64),
        ]

        @Test(arguments: refused)
        func `a refusal is said once by several ranks`(arguments: [String], code: Int32) throws {
            let directory = try TemporaryDirectory()
            let result = try Program.run(arguments, ranks: 3, directory: directory.path)
            #expect(result.code == code, "\(result.error)")
            #expect(result.sentences.count == 1, "\(result.error)")
        }

        /// The announced number of ranks does not exist, so a start of MPI would be refused with 64.
        @Test(arguments: [["--help"], ["--version"], ["train", "--help"], ["verify", "--help"]])
        func `help and version do not start MPI`(arguments: [String]) throws {
            let result = try Program.run(arguments, environment: ["OMPI_COMM_WORLD_SIZE": "2"])
            #expect(result.code == 0, "\(result.error)")
            #expect(!result.output.isEmpty)
            #expect(result.error.isEmpty)
        }

        private static let cases =
            URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().path + "/CommandsTests/Verify/Cases"

        @Test func `verify ends with 0 when all agrees and with 1 when a number was changed`() throws {
            let directory = try TemporaryDirectory()
            let good = "\(Self.cases)/unolora_star-v1.1"
            let changed = directory.file("changed")
            try FileManager.default.copyItem(atPath: good, toPath: changed)
            var file = try RawSafetensors(changed + "/case.safetensors")
            let name = try #require(file.header.keys.filter { $0.hasPrefix("grad.") }.min())
            let place = file.data.startIndex + file.offsets(name)[0]
            file.data.replaceSubrange(place..<place + 4, with: withUnsafeBytes(of: Float(1e3)) { Data($0) })
            try file.write()
            let passing = try Program.run(["verify", good])
            #expect(passing.code == 0, "\(passing.error)")
            let failing = try Program.run(["verify", good, changed])
            #expect(failing.code == 1, "\(failing.error)")
            #expect(failing.output.split(separator: "\n").count == 2)
            #expect(failing.output.contains("\"passed\":true"))
            #expect(failing.output.contains("\"passed\":false"))
            // A case that cannot be replayed does not prevent the others.
            let absent = try Program.run(["verify", directory.path, good])
            #expect(absent.code == 66 && absent.sentences.count == 1, "\(absent)")
            let lines = absent.output.split(separator: "\n")
            #expect(lines.count == 2 && lines[1].contains("\"passed\":true"), "\(absent.output)")
            #expect(lines[0].contains("\"failure\":") && lines[0].contains("no parity case"), "\(absent.output)")
            #expect(try Program.run(["verify", directory.path, changed]).code == 1)
        }

        @Test func `verify refuses what is no case`() throws {
            let directory = try TemporaryDirectory()
            let result = try Program.run(["verify", directory.path])
            #expect(result.code == 66, "\(result.error)")
            #expect(result.error.contains(directory.path))
        }
    }
}
