import Failures
import Foundation
import TestSupport
import Testing

@testable import Tensors

/// Texts that were made to cost a reader time or memory, or to lead it astray; fuzz/corpus has more.
@Suite struct UntrustedTextTests {
    /// Marks that are not in Unicode's canonical order, so that comparing them requires sorting.
    private func marks(_ count: Int) -> String {
        (0..<count).reduce(into: "") { $0.unicodeScalars.append($1 % 2 == 0 ? "\u{301}" : "\u{316}") }
    }

    @Test func `text is stream-safe up to 30 marks in a row`() {
        for text in ["", "plain", marks(30), "é" + marks(30) + "x" + marks(30), String(repeating: "가", count: 100)] {
            #expect(text.isStreamSafe)
        }
        for text in [marks(31), String(repeating: "x", count: 100) + marks(31) + "x"] { #expect(!text.isStreamSafe) }
    }

    /// Hashing this name would take minutes.
    @Test(.timeLimit(.minutes(1)))
    func `a tensor's name of 400,000 marks is refused at once`() throws {
        let bytes = safetensors(#"{"a\#(marks(400_000))":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}"#)
        let refusal = bytes.withUnsafeBytes { bytes in
            failure { _ = try SafetensorsFile(bytes: bytes, mapping: nil, path: "f") }
        }
        #expect(refusal?.message.contains("more than 30 combining marks in a row") == true)
    }

    private struct Named: Codable, Equatable {
        var a: String
    }

    @Test func `settings are bounded in depth and size and in the marks of names`() throws {
        func decode(_ text: String, atMost: Int = 100_000) -> Named? {
            try? BoundedJSON.decode(Named.self, from: Data(text.utf8), maximumSize: atMost)
        }
        let nested = String(repeating: "[", count: 30) + String(repeating: "]", count: 30)
        #expect(decode(#"{"a":"x","b":\#(nested)}"#) == Named(a: "x"))
        #expect(decode(#"{"a":"x","b":[[[\#(nested)]]]}"#) == nil)
        #expect(decode(#"{"a":"x"}"#, atMost: 9) != nil)
        #expect(decode(#"{"a":"x"} "#, atMost: 9) == nil)
        #expect(decode(#"{"a":"x\#(marks(30))"}"#) != nil)
        #expect(decode(#"{"a":"x\#(marks(31))"}"#) == nil)
        #expect(decode(#"{"a":"x","b\#(marks(31))":0}"#) == nil)
        #expect(decode(#"{"a":"x"}{"#) == nil)
    }

    @Test func `a file of settings that is large, a pipe or, on request, a link is refused`() throws {
        let directory = try TemporaryDirectory()
        let large = directory.file("large")
        #expect(FileManager.default.createFile(atPath: large, contents: nil))
        #expect(truncate(large, 1 << 40) == 0)
        #expect(failure { _ = try BoundedJSON.content(of: large) }?.message.contains("1099511627776 bytes") == true)
        let pipe = directory.file("pipe")
        #expect(mkfifo(pipe, 0o600) == 0)
        #expect(failure { _ = try BoundedJSON.content(of: pipe) }?.message.contains("not a regular file") == true)
        let link = directory.file("link")
        try directory.write("target", "{}")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: directory.file("target"))
        #expect(try BoundedJSON.content(of: link) == Data("{}".utf8))
        let refusal = failure { _ = try BoundedJSON.content(of: link, followingLinks: false) }
        #expect(refusal?.code == .inputMissing)
        #expect(refusal?.message.hasPrefix("cannot open \(link): a symbolic link stands there") == true)
    }

    /// For Swift a "/" with a combining mark is one character and not a "/"; for the system it ends a directory's name.
    @Test(arguments: ["..", ".", "", "/etc/x", "../x", "a/x", "../\u{338}x", "/\u{338}x", "a/\u{301}b", "a\\b", "a\0b"])
    func `a shard's name does not leave the model's directory`(name: String) throws {
        let directory = try TemporaryDirectory()
        let path = directory.file("model.safetensors.index.json")
        let map = ["weight_map": ["t": name]]
        try JSONEncoder().encode(map).write(to: URL(fileURLWithPath: path))
        let refusal = failure { _ = try TensorCollection(directory: directory.path) }
        #expect(refusal?.code == .badData)
        #expect(refusal?.message.contains("is not a plain file name") == true)
    }

    /// The hub's cache: names in a snapshot are links to files elsewhere in the cache.
    @Test func `a shard may be a link that stands in the model's directory`() throws {
        let directory = try TemporaryDirectory()
        try directory.write("snapshots/1/model.safetensors.index.json", #"{"weight_map":{"t":"m-1.safetensors"}}"#)
        try directory.write("blobs/none", "")
        var writer = SafetensorsWriter()
        try writer.add("t", [1], [7] as [Float])
        try writer.write(to: directory.file("blobs/0123abcd"))
        try FileManager.default.createSymbolicLink(
            atPath: directory.file("snapshots/1/m-1.safetensors"), withDestinationPath: "../../blobs/0123abcd")
        let collection = try TensorCollection(directory: directory.file("snapshots/1"))
        #expect(try collection["t"]?.file.readFloats(named: "t") == [7])
    }

    @Test func `nothing is written through a link`() throws {
        let directory = try TemporaryDirectory()
        let target = try directory.write("target", "mine")
        let link = directory.file("link")
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
        let refusal = failure { _ = try DurableFile(creating: link) }
        #expect(refusal?.code == .cannotWrite)
        #expect(
            refusal?.message
                == "cannot create \(link): a symbolic link stands there, and none is followed since others may have placed "
                + "it; remove the link or choose another directory")
        #expect(try String(contentsOfFile: target, encoding: .utf8) == "mine")
        // A replacement takes the place of the link itself.
        try DurableFile.replace(link) { file throws(Failure) in try file.write("new") }
        #expect(try String(contentsOfFile: target, encoding: .utf8) == "mine")
        #expect(try String(contentsOfFile: link, encoding: .utf8) == "new")
    }

    @Test func `the directory of a path is what the system takes for it`() {
        let (directory, name) = DurableFile.split("a/b/\u{338}c")
        #expect(directory == "a/b" && name == "\u{338}c")
    }
}
