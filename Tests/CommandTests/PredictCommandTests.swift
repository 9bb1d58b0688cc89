import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// `predict` as a filter: what it answers, line by line.
    @Suite struct PredictCommandTests {
        /// The tiny project with a run, whose labels are of several tokens.
        static let shared = Swift.Result {
            let project = try TinyProject()
            let result = try Program.run(project.train())
            #expect(result.code == 0, "\(result.error)")
            return project
        }

        struct Answer: Decodable, Equatable {
            var line: Int
            var answer: String?
            var label: String?
            var score: Double?
            var scores: [String: Double]?
            var task: String?
            var error: String?
        }

        static func answers(_ output: String) throws -> [Answer] {
            try output.split(separator: "\n").map { try JSONDecoder().decode(Answer.self, from: Data($0.utf8)) }
        }

        /// Lines of all tasks, which name their task.
        static func mixedLines(_ count: Int) -> [String] {
            let words = ["baran", "cesel", "ditim", "fovok", "guwun", "hazar", "likel"]
            return (0..<count).map { i in
                let text = (0...i % 9).map { words[(i * 5 + $0 * $0) % 7] }.joined(separator: " ")
                return switch i % 3 {
                case 0: "{\"task\": \"colour\", \"id\": \(i), \"sentence\": \"\(text)\"}"
                case 1: "{\"id\": \"p\(i)\", \"first\": \"\(text)\", \"second\": \"ba\", \"task\": \"pair\"}"
                default: "{\"text\": \"\(text)\", \"task\": \"grade\"}"
                }
            }
        }

        private static func predict(_ project: TinyProject, _ arguments: [String], _ input: String, ranks: Int? = nil)
            throws -> Program.Result
        {
            let file = try project.write("input-\(UUID().uuidString)", input)
            return try Program.run(["predict", project.file("run"), "--input", file] + arguments, ranks: ranks)
        }

        @Test(arguments: [nil, 2])
        func `the strict end at the first bad line`(ranks: Int?) throws {
            let project = try Self.shared.get()
            // Line 5 is among those of the first rank, and line 40 of the second, which reads fewer bytes.
            let lines = (1...60).map { line in
                line == 5 || line == 40 ? "{\"id\": \(line)}" : line < 30 ? "baran cesel baran cesel" : "ba"
            }
            let result = try Self.predict(
                project, ["--task", "colour", "--on-bad-line", "fail"], lines.joined(separator: "\n") + "\n",
                ranks: ranks)
            #expect(result.code == 65 && result.output.isEmpty, "\(result)")
            #expect(result.error.contains(":5: ") && !result.error.contains(":40: "), "\(result.error)")
            #expect(result.error.contains("without --on-bad-line fail such a line is answered"), "\(result.error)")
        }

        @Test func `a run in which nothing has been evaluated answers with its last checkpoint and says so`() throws {
            let project = try TinyProject()
            let unevaluated = ["--set", "eval.every=null", "--set", "eval.atEnd=false"]
            #expect(try Program.run(project.train(unevaluated)).code == 0)
            let usual = try Self.predict(project, ["--task", "colour"], "baran cesel\n")
            #expect(usual.code == 0 && usual.error.contains("note: nothing has been evaluated in "), "\(usual)")
            let last = try Self.predict(project, ["--task", "colour", "--checkpoint", "last"], "baran cesel\n")
            #expect(last.code == 0 && last.output == usual.output && !last.error.contains("note:"), "\(last)")
            let best = try Self.predict(project, ["--task", "colour", "--checkpoint", "best"], "baran cesel\n")
            #expect(best.code == 66 && best.error.contains("since nothing has been evaluated"), "\(best)")
        }

        @Test func `a bad line is answered in its place, with its id, and counted`() throws {
            let project = try Self.shared.get()
            let lines: [(text: [UInt8], answer: String)] = [
                (Array("{\"id\": 1.50, \"sentence\": \"baran\"}".utf8), #"","id":1.50,"#),
                (Array("".utf8), #"{"error":"the line is blank; "#),
                ([0x62, 0xFF], #"{"error":"the line is not UTF-8; convert it","line":3}"#),
                (Array("{\"id\": \"x\\u00e9/\", \"text\": \"baran\"}".utf8), #""id":"x\u00e9/","line":4}"#),
                (Array("{\"id\": null, \"sentence\": [1]}".utf8), #""id":null,"line":5}"#),
                (Array("{\"id\": 7, \"sentence\": ".utf8), #"{"error":"not a JSON object (byte"#),
                (Array("{\"id\": [7], \"sentence\": \"baran\"}".utf8), #"the value of \"id\" is a list, but must be"#),
                (Array("{\"id\": 1, \"id\": 2, \"sentence\": \"baran\"}".utf8), #"the key \"id\" occurs twice"#),
                (Array("baran\tcesel".utf8), "2 columns"),
                (Array("{\"task\": \"pair\", \"sentence\": \"baran\"}".utf8), #"names task \"pair\""#),
                (Array(String(repeating: "a", count: 1 << 20 + 1).utf8), "longer than 1 MiB"),
                (Array("{\"task\": \"colour\", \"id\": true, \"sentence\": \"baran\"}".utf8), #"","id":true,"#),
                (Array("baran".utf8), #"{"answer":"#),
            ]
            let input = project.file("bad-lines")
            try Data(lines.map(\.text).joined(separator: [0x0A])).write(to: URL(fileURLWithPath: input))
            let result = try Program.run(["predict", project.file("run"), "--task", "colour", "--input", input])
            #expect(result.code == 65, "\(result.error)")
            let answers = result.output.split(separator: "\n")
            #expect(try Self.answers(result.output).map(\.line) == Array(1...lines.count))
            for (line, answer) in zip(lines, answers) { #expect(answer.contains(line.answer), "\(answer)") }
            // The rest of a damaged object does not matter for its id.
            #expect(answers[5].hasSuffix(#""id":7,"line":6}"#), "\(answers[5])")
            let good = try Self.answers(result.output).filter { $0.error == nil }
            #expect(good.map(\.line) == [1, 12, 13])
            // The same text, whatever its id and form.
            #expect(Set(good.map(\.answer)).count == 1)
            #expect(result.error.split(separator: "\n").count == 1, "\(result.error)")
            #expect(result.error.contains("10 of 13 could not be answered"), "\(result.error)")
        }

        @Test func `each line may name its task, and has the answer that --task gives`() throws {
            let project = try Self.shared.get()
            let lines = Self.mixedLines(60)
            let mixed = try Self.predict(project, ["--scores"], lines.joined(separator: "\n"))
            #expect(mixed.code == 0, "\(mixed.error)")
            let answers = try Self.answers(mixed.output)
            #expect(answers.map(\.line) == Array(1...60))
            for (number, task) in ["colour", "pair", "grade"].enumerated() {
                let own = lines.indices.filter { $0 % 3 == number }
                // Backwards, so that the batches are others.
                let result = try Self.predict(
                    project, ["--scores", "--task", task], own.reversed().map { lines[$0] }.joined(separator: "\n"))
                let expected = own.map { index in
                    var answer = answers[index]
                    #expect(answer.task == task)
                    (answer.task, answer.line) = (nil, 0)
                    return answer
                }
                let found = try Self.answers(result.output).reversed().map { answer in
                    var answer = answer
                    answer.line = 0
                    return answer
                }
                #expect(found == expected)
            }
            let bad = try Self.predict(
                project, [], "{\"task\": \"colours\", \"sentence\": \"a\"}\n{\"sentence\": \"a\"}\nbaran\n\n")
            #expect(bad.code == 65)
            let reasons = try Self.answers(bad.output).compactMap(\.error)
            let words = ["there is no task \"colours\"", "no key \"task\"", "is no JSON object", "blank"]
            #expect(reasons.count == 4 && zip(reasons, words).allSatisfy { $0.contains($1) }, "\(reasons)")
        }

        @Test func `scores are log-probabilities over the labels or grades`() throws {
            let project = try Self.shared.get()
            let answers = try Self.answers(
                try Self.predict(project, ["--scores"], Self.mixedLines(30).joined(separator: "\n")).output)
            let grades = Set((0...10).map { String(format: "%.1f", Double($0) / 2) })
            let names: [String: Set<String>] = ["colour": ["r", "b"], "pair": ["true", "false"], "grade": grades]
            for answer in answers {
                let scores = try #require(answer.scores)
                #expect(Set(scores.keys) == names[answer.task ?? ""])
                #expect(abs(scores.values.reduce(0) { $0 + exp($1) } - 1) <= 1e-12)
                #expect(scores.values.allSatisfy { $0 <= 0 })
            }
            #expect(Set(answers.compactMap { $0.scores?["r"] }).count >= 8)
        }

        /// A short pass of a batch, and one line after another, through a pipe.
        @Test(arguments: ["float32", "int8", "bfloat16"])
        func `an answer does not depend on the lines beside it`(form: String) throws {
            let project = try TinyProject()
            let key = form == "bfloat16" ? "model.storage" : "model.products"
            let trained = try Program.run(project.train(["--set", "\(key)=\(form)", "--set", "train.steps=4"]))
            #expect(trained.code == 0, "\(trained.error)")
            let lines = Self.mixedLines(48)
            let input = try project.write("lines", lines.joined(separator: "\n") + "\n")
            let arguments = ["predict", project.file("run"), "--scores"]
            let whole = try Program.run(arguments + ["--input", input])
            #expect(whole.code == 0, "\(whole.error)")
            // Groups of any size, as a slow writer makes them.
            let slowly = try Program.run(
                command: [
                    "bash", "-c",
                    #"while read -r a; do echo "$a"; [ $((++n % 7)) = 0 ] && sleep 0.03; done < "$0" | "$@""#, input,
                    Program.path,
                ] + arguments)
            #expect(slowly.output == whole.output, "\(slowly.error)")
            let reversed = try project.write("reversed", lines.reversed().joined(separator: "\n"))
            let backwards = try Self.answers(try Program.run(arguments + ["--input", reversed]).output)
            let forwards = try Self.answers(whole.output)
            for (a, b) in zip(forwards, backwards.reversed()) {
                #expect(a.scores == b.scores && a.answer == b.answer)
            }
        }

        @Test func `ranks share the lines and give the same bytes`() throws {
            let project = try Self.shared.get()
            var lines = Self.mixedLines(200)
            lines[17] = "no object"
            let input = try project.write("shared-lines", lines.joined(separator: "\n"))
            let arguments = ["predict", project.file("run"), "--scores", "--input"]
            let alone = try Program.run(arguments + [input])
            #expect(alone.code == 65)
            for ranks in [2, 4] {
                let result = try Program.run(arguments + [input], ranks: ranks)
                #expect(result.code == 65, "\(result.error)")
                #expect(result.output == alone.output)
                let output = project.file("answers-\(ranks)")
                let written = try Program.run(
                    command: [
                        "bash", "-c", #"mpirun --bind-to none -n "$0" "$@" < "$INPUT""#, "\(ranks)", Program.path,
                    ]
                        + arguments + ["-", "--output", output], environment: ["INPUT": input])
                #expect(written.code == 65, "\(written.error)")
                #expect(try String(contentsOfFile: output, encoding: .utf8) == alone.output)
            }
            // Fewer lines than ranks.
            let one = try Program.run(arguments + [try project.write("one-line", lines[0])], ranks: 4)
            #expect(one.code == 0 && one.output == alone.output.split(separator: "\n")[0] + "\n", "\(one.error)")
            let none = try Program.run(arguments + [try project.write("no-line", "")], ranks: 2)
            #expect(none.code == 0 && none.output.isEmpty, "\(none.error)")
        }

        @Test func `a rank that fails or is killed ends the job`() throws {
            let project = try Self.shared.get()
            // A pipe that stays open: without the failure, all would wait for ever.
            let directory = try TemporaryDirectory()
            let pipe = directory.file("endless")
            #expect(mkfifo(pipe, 0o600) == 0)
            let writer = FileHandle(fileDescriptor: open(pipe, O_RDWR | O_CLOEXEC), closeOnDealloc: true)
            let output = directory.file("answers")
            let running = try RunningProgram(
                command: try project.tellingPids() + [
                    "predict", project.file("run"), "--input", pipe, "--output", output,
                ], ranks: 2)
            try writer.write(contentsOf: Data((Self.mixedLines(3).joined(separator: "\n") + "\n").utf8))
            running.wait { (try? String(contentsOfFile: output, encoding: .utf8))?.contains("\"line\":3") == true }
            #expect(kill(try project.pid(rank: 1), SIGKILL) == 0)
            let result = try running.wait()
            #expect(result.code != 0 && result.seconds < Program.promptly)
            // Rank 0 alone sees that its output exists.
            let refused = try Program.run(
                ["predict", project.file("run"), "--input", project.file("run.yaml"), "--output", output], ranks: 2)
            #expect(refused.code == 64, "\(refused.error)")
            #expect(refused.sentences.count == 1, "\(refused.error)")
        }

        @Test func `the memory does not grow with the lines`() throws {
            let project = try Self.shared.get()
            func peak(_ lines: Int) throws -> Int {
                let input = try project.write(
                    "many-\(lines)", String(repeating: "baran cesel ditim fovok\n", count: lines))
                let script = #"""
                    "$@" > /dev/null & process=$!
                    while peak=$(grep VmHWM /proc/$process/status 2>/dev/null) && [ -n "$peak" ]; do
                        last=$peak; sleep 0.02; done
                    wait $process; echo $last | tr -dc 0-9
                    """#
                let result = try Program.run(
                    command: ["bash", "-c", script, "bash", Program.path, "predict", project.file("run"), "--task"]
                        + ["colour", "--scores", "--input", input])
                #expect(result.code == 0, "\(result.error)")
                return try #require(Int(result.output.trimmingCharacters(in: .whitespacesAndNewlines)))
            }
            let (few, many) = (try peak(1_500), try peak(15_000))
            #expect(many - few < 12_000, "\(few) and \(many) kB")
        }

        @Test func `a logit that is not finite ends the command with the line and what to do`() throws {
            let project = try TinyProject()
            // One step is so large that its weights overflow in the next forward.
            let settings = ["lr.peak=1e30", "lr.warmup=0", "train.steps=1", "eval.every=null", "eval.atEnd=false"]
            let trained = try Program.run(project.train(settings.flatMap { ["--set", $0] }))
            #expect(trained.code == 0, "\(trained.error)")
            let input = try project.write("lines", "\nbaran\n")
            let result = try Program.run([
                "predict", project.file("run"), "--checkpoint", "last", "--task", "colour", "--input", input,
            ])
            #expect(result.code == 86 && result.sentences.count == 1, "\(result.error)")
            #expect(result.error.contains("colour \(input):2: a logit of the answer is not finite"), "\(result.error)")
            #expect(result.error.contains("take an earlier checkpoint (--checkpoint)"), "\(result.error)")
        }

        @Test func `what cannot be done is refused in one sentence`() throws {
            let project = try Self.shared.get()
            for (arguments, code, words) in [
                (["--task", "colour", "--resume"], Int32(64), "--resume needs --output"),
                (["--task", "color"], 64, "none of the run's tasks"),
                (["--task", "colour", "--output", "/nowhere/file"], 74, "check that its directory exists"),
                (["--task", "colour", "--output", "/dev/null", "--resume"], 64, "is no regular file"),
                (["--task", "colour", "--output", "/dev/full"], 64, "is no regular file"),
                (["--task", "colour", "--output", "/dev/stdout"], 64, "is standard output"),
                (["--task", "colour", "--output", "/proc/self/fd/1", "--resume"], 64, "leave it out"),
                (["--task", "colour", "--input", "none.txt"], 66, "none.txt"),
            ] {
                for ranks in [nil, 2] {
                    let result = try Program.run(["predict", project.file("run")] + arguments, ranks: ranks)
                    #expect(result.code == code, "\(arguments): \(result.error)")
                    #expect(result.error.contains(words), "\(result.error)")
                    #expect(result.sentences.count <= 1)
                }
            }
        }
    }
}
