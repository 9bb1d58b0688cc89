import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Standard output that cannot be written.
    @Suite struct OutputTests {
        enum Place: CaseIterable {
            case fullDisk
            case closedPipe

            func open() throws -> FileHandle {
                guard self == .closedPipe else { return try #require(FileHandle(forWritingAtPath: "/dev/full")) }
                let pipe = Pipe()
                try pipe.fileHandleForReading.close()
                return pipe.fileHandleForWriting
            }

            var reason: String { self == .fullDisk ? "No space left on device" : "Broken pipe" }
        }

        /// A project with a run of two steps.
        private static let shared = Swift.Result {
            let project = try TinyProject()
            try project.write("input", "ba ce di\n")
            let result = try Program.run(project.train(["--set", "train.steps=2"]))
            #expect(result.code == 0, "\(result.error)")
            return project
        }

        private static let verificationCase =
            URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path
            + "/CommandsTests/Verify/Cases/unolora_star-v1.1"

        @Test(
            arguments: [
                ["evaluate", "run"], ["predict", "run", "--task", "colour", "--input", "input"],
                ["prepare", "--config", "run.yaml"], ["plan", "--config", "run.yaml"], ["doctor"],
                ["verify", verificationCase],
            ], Place.allCases)
        func `a result that cannot be written ends with 74 and one sentence`(
            arguments: [String], place: Place
        ) throws {
            let project = try Self.shared.get()
            let result = try Program.run(arguments, directory: project.path, output: place.open())
            #expect(result.code == 74, "\(result.code) \(result.error)")
            #expect(result.sentences.count == 1, "\(result.error)")
            #expect(result.error.contains("standard output") && result.error.contains(place.reason), "\(result.error)")
        }

        @Test func `a result for a closed standard output ends with 74`() throws {
            let project = try Self.shared.get()
            let result = try Program.run(
                command: ["sh", "-c", "exec \"$@\" >&-", "sh", Program.path, "evaluate", "run"], directory: project.path
            )
            #expect(result.code == 74, "\(result.code) \(result.error)")
        }

        @Test(arguments: Place.allCases)
        func `training does not need its standard output`(place: Place) throws {
            let project = try Self.shared.get().copy()
            let arguments = project.train(["--resume", "never"])
            try FileManager.default.removeItem(atPath: project.file("run"))
            let result = try Program.run(arguments, output: place.open())
            #expect(result.code == 0, "\(result.code) \(result.error)")
            #expect(try Status(run: project.file("run")).state == "finished")
        }

        @Test func `a refusal keeps its code where standard error takes nothing`() throws {
            let result = try Program.run(
                command: ["sh", "-c", "exec \"$@\" 2>/dev/full", "sh", Program.path, "plan", "--config", "nowhere"])
            #expect(result.code == 66)
        }

        @Test func `predict names a standard input that cannot be read`() throws {
            let project = try Self.shared.get()
            let result = try Program.run(
                command: ["sh", "-c", "exec \"$@\" </", "sh", Program.path, "predict", "run", "--task", "colour"],
                directory: project.path)
            #expect(result.code == 66, "\(result.code) \(result.error)")
            #expect(result.sentences.first?.contains("standard input cannot be read") == true, "\(result.error)")
        }
    }
}
