import Foundation
import TestSupport
import Testing

extension ProgramTests {
    @Suite struct CommandLineTests {
        @Test(arguments: [
            ["train", "--nonsense"], ["nonsense", "more"], ["train", "--stop-after", "soon"], ["verify"], ["new-model"],
        ])
        func `a wrong command line ends with 64 and says how it goes`(arguments: [String]) throws {
            let directory = try TemporaryDirectory()
            let result = try Program.run(arguments, directory: directory.path)
            #expect(result.code == 64, "\(result.error)")
            #expect(result.error.contains("Error: "))
            #expect(result.error.contains("--help"))
        }

        /// With a number of ranks announced that is not there, a start of MPI would be refused with 64.
        @Test(arguments: [["--help"], ["--version"], ["train", "--help"], ["verify", "--help"]])
        func `help and version do not start MPI`(arguments: [String]) throws {
            let result = try Program.run(arguments, environment: ["OMPI_COMM_WORLD_SIZE": "2"])
            #expect(result.code == 0, "\(result.error)")
            #expect(!result.output.isEmpty)
            #expect(result.error.isEmpty)
        }

        private static let cases =
            URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().path + "/TrainingTests/Verification/Cases"

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
        }

        @Test func `verify refuses what is no case`() throws {
            let directory = try TemporaryDirectory()
            let result = try Program.run(["verify", directory.path])
            #expect(result.code == 66, "\(result.error)")
            #expect(result.error.contains(directory.path))
        }
    }
}
