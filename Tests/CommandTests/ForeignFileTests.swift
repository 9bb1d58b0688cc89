import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// Run directories that contain files of the user's own.
    @Suite struct ForeignFileTests {
        private static let project = Swift.Result { try TinyProject() }

        @Test(arguments: [nil, 2])
        func `a start does not overwrite the user's own config.yaml`(ranks: Int?) throws {
            let project = try Self.project.get().copy()
            try project.write("config.yaml", TinyProject.yaml)
            let before = try digests(below: project.path)
            let result = try Program.run(
                ["train", "--config", "config.yaml", "--out", "."], ranks: ranks, directory: project.path)
            #expect(result.code == 74, "\(result.error)")
            #expect(result.sentences.count == 1 && result.error.contains("choose another --out"), "\(result.error)")
            #expect(try digests(below: project.path) == before)
        }

        @Test func `a run goes on from its own config.yaml, and starts anew from it unless it was changed`() throws {
            let project = try Self.project.get().copy()
            #expect(try Program.run(project.train(["--stop-after", "4"])).code == 85)
            let run = ["train", "--config", "run/config.yaml", "--out", "run"]
            let resumed = try Program.run(run + ["--stop-after", "5"], directory: project.path)
            #expect(resumed.code == 85, "\(resumed.error)")
            #expect(resumed.output.contains("at step 4"), "\(resumed.output)")
            // The state after a start that failed before its first checkpoint.
            try FileManager.default.removeItem(atPath: project.file("run/checkpoints"))
            #expect(try Program.run(run + ["--stop-after", "4"], directory: project.path).code == 85)
            try FileManager.default.removeItem(atPath: project.file("run/checkpoints"))
            try project.replace("model:", by: "# mine\nmodel:", in: "run/config.yaml")
            let refused = try Program.run(run, directory: project.path)
            #expect(refused.code == 74, "\(refused.error)")
            #expect(refused.error.contains("run/config.yaml is the configuration of this start"), "\(refused.error)")
            #expect(try String(contentsOfFile: project.file("run/config.yaml"), encoding: .utf8).contains("# mine"))
            #expect(try Program.run(project.train(["--stop-after", "1"])).code == 85)
        }

        /// Another user's directory, and links to it that the other user has made.
        private final class Others {
            let place: TemporaryDirectory

            init() throws { place = try TemporaryDirectory() }

            func link(_ path: String) throws {
                try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: place.path)
                #expect(lchown(path, 12_345, 12_345) == 0)
            }

            /// Checks that a command is refused because of the link and has written nothing through it.
            func expectRefusal(_ result: Program.Result, _ path: String) throws {
                #expect(result.code == 74 && result.sentences.count == 1, "\(result)")
                #expect(
                    result.error.contains("\(path) is a symbolic link that another user (12345) made"),
                    "\(result.error)")
                #expect(try FileManager.default.contentsOfDirectory(atPath: place.path) == [])
            }
        }

        private static let canGiveAway = getuid() == 0

        @Test(
            .enabled(if: canGiveAway, "only root can make a link another user's"),
            arguments: ["example", "example/tasks"])
        func `the embedded example is not written through another user's link`(name: String) throws {
            let (directory, others) = (try TemporaryDirectory(), try Others())
            let run = directory.file("run")
            try directory.write("run/example/here", "")
            if name == "example" { try FileManager.default.removeItem(atPath: run + "/example") }
            try others.link("\(run)/\(name)")
            try others.expectRefusal(try Program.run(["train", "--out", run]), "\(run)/\(name)")
            #expect(!FileManager.default.fileExists(atPath: run + "/example/model"))
        }

        @Test(.enabled(if: canGiveAway, "only root can make a link another user's"), arguments: [nil, 2])
        func `the token cache is not written through another user's link`(ranks: Int?) throws {
            let (project, others) = (try Self.project.get().copy(), try Others())
            #expect(mkdir(project.file("run"), 0o700) == 0)
            try others.link(project.file("run/cache"))
            let arguments = ["--config", project.configuration, "--out", project.file("run")]
            try others.expectRefusal(try Program.run(["prepare"] + arguments, ranks: ranks), project.file("run/cache"))
            try others.expectRefusal(try Program.run(["train"] + arguments, ranks: ranks), project.file("run/cache"))
            // Files that exist already may be read, as in another user's run.
            unlink(project.file("run/cache"))
            #expect(try Program.run(["train"] + arguments + ["--stop-after", "2"]).code == 85)
            let evaluate = ["evaluate", project.file("run"), "--checkpoint", "last"]
            try FileManager.default.moveItem(
                atPath: project.file("run/cache"), toPath: others.place.file("cache"))
            try FileManager.default.createSymbolicLink(
                atPath: project.file("run/cache"), withDestinationPath: others.place.file("cache"))
            #expect(lchown(project.file("run/cache"), 12_345, 12_345) == 0)
            let read = try Program.run(evaluate, ranks: ranks)
            #expect(read.code == 0, "\(read.error)")
            for name in try FileManager.default.contentsOfDirectory(atPath: others.place.file("cache")) {
                unlink(others.place.file("cache/" + name))
            }
            let refused = try Program.run(evaluate, ranks: ranks)
            #expect(refused.code == 74 && refused.sentences.count == 1, "\(refused)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: others.place.file("cache")) == [])
        }

        @Test(.enabled(if: canGiveAway, "only root can make a link another user's"))
        func `a replay follows no link of another user`() throws {
            let (project, others) = (try Self.project.get().copy(), try Others())
            #expect(try Program.run(project.train(["--stop-after", "4"])).code == 85)
            try others.link(project.file("run/replay"))
            try others.expectRefusal(
                try Program.run(["reproduce", project.file("run")], ranks: 2), project.file("run/replay"))
            unlink(project.file("run/replay"))
            // A run whose cache is another user's link is still replayed, with a cache of the replay's own.
            try FileManager.default.removeItem(atPath: project.file("run/cache"))
            try others.link(project.file("run/cache"))
            let result = try Program.run(["reproduce", project.file("run"), "--out", project.file("again")])
            #expect(result.code == 0, "\(result.error)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: others.place.path) == [])
            #expect(FileManager.default.fileExists(atPath: project.file("again/cache")))
        }

        @Test func `the embedded example is not written beside files that a run would overwrite`() throws {
            let directory = try TemporaryDirectory()
            try directory.write("config.yaml", "mine")
            let result = try Program.run(["train", "--out", directory.path])
            #expect(result.code == 74 && result.sentences.count == 1, "\(result.error)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["config.yaml"])
        }
    }
}
