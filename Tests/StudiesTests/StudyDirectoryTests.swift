import Configuration
import Foundation
import Runs
import TestSupport
import Testing

@testable import Studies

@Suite struct StudyDirectoryTests {
    private let temporary: TemporaryDirectory
    private let directory: StudyDirectory

    init() throws {
        temporary = try TemporaryDirectory()
        directory = StudyDirectory(temporary.file("study"))
    }

    /// Paths of a configuration are relative to its file, so that of the token cache must not depend on the working directory.
    @Test func `configurations of a study in a relative directory name its cache by an absolute path`() throws {
        let directory = StudyDirectory("studies/../first")
        let path = FileManager.default.currentDirectoryPath + "/first"
        #expect(directory.path == path && directory.cache == path + "/cache")
        let run = try study("rows: [{name: a}]\n", cache: directory.cache).runs[0]
        #expect(
            run.configuration.resolvedYAML.contains("  cache: \(path)/cache\n"), "\(run.configuration.resolvedYAML)")
    }

    @Test func `a signal that ends a run is named, and is a stop after a request`() {
        func end(_ signal: Int32, asked: Bool) -> RunProcess.End {
            RunProcess.ending(by: signal, isAsked: asked, log: "logs/a.txt")
        }
        #expect(end(SIGTERM, asked: true) == .stopped(143) && end(SIGINT, asked: true) == .stopped(130))
        #expect(end(SIGUSR1, asked: true) == .stopped(85))
        #expect(
            end(SIGKILL, asked: true)
                == .failed(137, "its process was ended by signal 9 (Killed), as when memory is short"))
        #expect(
            end(SIGTERM, asked: false)
                == .failed(143, "its process was ended by signal 15 (Terminated); see logs/a.txt"))
        #expect(
            end(SIGSEGV, asked: true)
                == .failed(139, "its process was ended by signal 11 (Segmentation fault); see logs/a.txt"))
    }
}
