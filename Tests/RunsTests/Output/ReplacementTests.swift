import Failures
import Foundation
import TestSupport
import Testing

@testable import Runs

/// A directory in place of another, in one step and in several.
@Suite struct ReplacementTests {
    private static func names(_ directory: TemporaryDirectory) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
    }

    private static func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    @Test(arguments: [true, false])
    func `the new one has the name, and the older one that of the new one`(isOneStep: Bool) throws {
        let directory = try TemporaryDirectory()
        try directory.write("out/file", "old")
        try directory.write("new/file", "new")
        let (path, new) = (directory.file("out"), directory.file("new"))
        try isOneStep ? Replacement.replace(path, by: new) : Replacement.makeRoom(at: path, for: new)
        #expect(try Self.text(path + "/file") == "new" && Self.text(new + "/file") == "old")
        #expect(try Self.names(directory) == ["new", "out"])
    }

    @Test(arguments: [true, false])
    func `where nothing is, or an empty directory, the new one comes there`(isEmptyThere: Bool) throws {
        let directory = try TemporaryDirectory()
        try directory.write("new/file", "new")
        let path = directory.file("out")
        if isEmptyThere {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        }
        try Replacement.replace(path, by: directory.file("new"))
        #expect(try Self.text(path + "/file") == "new")
    }

    @Test func `what cannot be replaced stays, and the failure says why`() throws {
        let directory = try TemporaryDirectory()
        try directory.write("out", "a file")
        try directory.write("new/file", "new")
        let failure = #expect(throws: Failure.self) {
            try Replacement.makeRoom(at: directory.file("out"), for: directory.file("new"))
        }
        #expect(failure?.code == .cannotWrite)
        #expect(try Self.text(directory.file("out")) == "a file" && Self.text(directory.file("new/file")) == "new")
    }

    @Test func `what a killed process had renamed comes back, unless something is in its place`() throws {
        let directory = try TemporaryDirectory()
        let dead = ".out.\(ProcessInfo.processInfo.hostName)-999999999-1.tmp"
        let living = ".out.\(ProcessInfo.processInfo.hostName)-\(getpid())-1.tmp"
        for name in [dead, dead + ".previous", living] { try directory.write("\(name)/file", name) }
        Replacement.recover(directory.file("out"), in: directory.path, "out")
        #expect(try Self.names(directory) == [living, "out"])
        #expect(try Self.text(directory.file("out/file")) == dead + ".previous")
        try directory.write("\(dead).previous/file", "older")
        Replacement.recover(directory.file("out"), in: directory.path, "out")
        #expect(try Self.names(directory) == [living, "out"])
        #expect(try Self.text(directory.file("out/file")) == dead + ".previous")
    }
}
