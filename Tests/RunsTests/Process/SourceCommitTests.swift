import Foundation
import TestSupport
import Testing

@testable import Runs

/// Tests with repositories that git itself made; the environment sets the times in git's log.
@Suite struct SourceCommitTests {
    private let directory: TemporaryDirectory
    private var checkout: String { directory.file("checkout") }
    /// Commits at 1000 and 2000 seconds after the year 2000.
    private let first: String
    private let second: String

    init() throws {
        directory = try TemporaryDirectory()
        let checkout = directory.file("checkout")
        try Self.git(["init", "-q", "-b", "main", checkout], at: 0)
        var commits: [String] = []
        for time in [1000, 2000] {
            try Self.git(["-C", checkout, "commit", "-q", "--allow-empty", "-m", "at \(time)"], at: time)
            commits.append(try Self.git(["-C", checkout, "rev-parse", "HEAD"], at: time))
        }
        (first, second) = (commits[0], commits[1])
    }

    private static let epoch = 946_684_800

    @discardableResult
    private static func git(_ arguments: [String], at time: Int) throws -> String {
        let (process, pipe) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["git", "-c", "user.name=A B", "-c", "user.email=a@b.example"] + arguments
        let now = "\(epoch + time) +0100"
        process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("GIT_") }.merging([
            "GIT_COMMITTER_DATE": now, "GIT_AUTHOR_DATE": now, "GIT_CONFIG_GLOBAL": "/dev/null",
        ]) { $1 }
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "git \(arguments)")
        return String(decoding: output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func git(_ arguments: [String], at time: Int) throws {
        try Self.git(["-C", checkout] + arguments, at: time)
    }

    /// The commit that is found for a program linked at a time.
    private func commit(_ program: String = "checkout/.build/release/program", linked time: Int) throws -> String? {
        let path = try directory.write(program, "")
        let date = Date(timeIntervalSince1970: Double(Self.epoch + time))
        try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: path)
        return SourceCommit.ofExecutable(at: path)
    }

    @Test func `an archive says its commit`() throws {
        try directory.write("archive/commit.txt", second + "\n")
        #expect(try commit("archive/bin/program", linked: 2500) == second)
        #expect(try commit("archive/program", linked: 2500) == nil)
        try directory.write("archive/commit.txt", "v1.0\n")
        #expect(try commit("archive/bin/program", linked: 2500) == nil)
    }

    @Test func `the commit is the one that was checked out when the program was linked`() throws {
        #expect(try commit(linked: 2500) == second)
        #expect(try commit(linked: 2000) == second)
        #expect(try commit(linked: 1999) == first)
        #expect(try commit(linked: 999) == nil)
        #expect(try commit("checkout/.build-fast/x86_64/release/program", linked: 1500) == first)
    }

    @Test func `packed references change nothing`() throws {
        try git(["pack-refs", "--all"], at: 3000)
        #expect(!FileManager.default.fileExists(atPath: checkout + "/.git/refs/heads/main"))
        #expect(try commit(linked: 3500) == second)
    }

    @Test func `a commit without a branch is found`() throws {
        try git(["checkout", "-q", "--detach", first], at: 3000)
        #expect(try commit(linked: 3500) == first)
        #expect(try commit(linked: 2500) == second)
    }

    @Test func `a further work tree has its own commit`() throws {
        try git(["worktree", "add", "-q", "../tree", first], at: 3000)
        #expect(try commit("tree/.build/release/program", linked: 3500) == first)
        #expect(try commit(linked: 3500) == second)
    }

    @Test func `a clone has the commit that it was cloned at`() throws {
        try Self.git(["clone", "-q", "--depth", "1", "file://" + checkout, directory.file("clone")], at: 5000)
        #expect(try commit("clone/.build/release/program", linked: 6000) == second)
    }

    @Test func `nothing is claimed of a program elsewhere, without git or without git's log`() throws {
        #expect(try commit("checkout/bin/program", linked: 2500) == nil)
        #expect(try commit("other/.build/release/program", linked: 2500) == nil)
        try FileManager.default.removeItem(atPath: checkout + "/.git/logs")
        #expect(try commit(linked: 2500) == nil)
    }
}
