import Foundation
import Runs
import Testing

@testable import Reports

/// The names of runs on a page.
@Suite struct RunNameTests {
    private static func short(_ paths: [String]) -> [String] {
        RunName.names(paths, paths.map { _ in .finished }).map(\.short)
    }

    @Test(arguments: [
        (["/r/a", "/r/b"], ["a", "b"]), (["/x/run", "/y/run"], ["x/run", "y/run"]), (["/runs/only/"], ["only"]),
        (["/a/b/c", "/d/b/c", "/c"], ["a/b/c", "d/b/c", "c"]), (["/runs/x/../star"], ["star"]), (["/"], ["/"]),
    ])
    func `names are as short as they can be`(paths: [String], names: [String]) {
        #expect(Self.short(paths) == names)
    }

    @Test func `a relative path has the name of its directory`() {
        let present = URL(fileURLWithPath: FileManager.default.currentDirectoryPath)
        #expect(Self.short(["."]) == [present.lastPathComponent])
        #expect(Self.short([".."]) == [present.deletingLastPathComponent().lastPathComponent])
    }

    @Test func `what became of a run stands behind its name, but not in the names of files`() {
        let names = RunName.names(["/r/a b", "/r/c", "/r/d"], [.killed, .finished, .failed("why")])
        #expect(names.map(\.text) == ["a b (killed)", "c", "d (failed)"])
        #expect(names.map(\.suffix) == [", a b (killed)", ", c", ", d (failed)"])
        #expect(names.map { $0.id("norms") } == ["norms-a-b", "norms-c", "norms-d"])
        let alone = RunName.names(["/r/a"], [.running])[0]
        #expect(alone.text == "a (running)" && alone.suffix.isEmpty && alone.id("norms") == "norms")
    }
}
