import Configuration
import Foundation
import Tasks
import TestSupport
import Testing

@testable import Training

/// The configurations in docs/examples.
@Suite struct ShippedExampleTests {
    private static let directory =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
        + "/../../../docs/examples"

    @Test func `CB and COPA are tasks that the configuration describes`() throws {
        let data = try TemporaryDirectory()
        let cb = "{\"premise\": \"It rains.\", \"hypothesis\": \"It is wet.\", \"label\": \"entailment\", \"idx\": 4}\n"
        let copa =
            "{\"premise\": \"I fell.\", \"choice1\": \"It was icy.\", \"choice2\": \"I ran.\", \"question\": \"cause\", "
            + "\"label\": 0, \"idx\": 4}\n"
        for (folder, row) in [("CB", cb), ("COPA", copa)] {
            func other(_ word: String) -> String { row.replacing("rains", with: word).replacing("icy", with: word) }
            try data.write("superglue/\(folder)/train.jsonl", row + other("pours"))
            try data.write("superglue/\(folder)/val.jsonl", other("thaws") + other("hails"))
        }
        let place = try Self.place("superglue.yaml", data: data.path)
        let tasks = try RunConfiguration.load(file: place.file("superglue.yaml")).definitions()
        #expect(tasks.map(\.name) == ["cb", "copa"])
        let first = try TaskExamples(tasks[0]).example(.train, 0)
        #expect(first.source == "cb premise: It rains. hypothesis: It is wet.")
        #expect(first.gold == .label(0))
        let second = try TaskExamples(tasks[1]).example(.train, 0)
        #expect(second.source == "copa choice1: It was icy. choice2: I ran. premise: I fell. question: cause")
        #expect(second.gold == .label(0))
        #expect(tasks[0].answers == .classes(["entailment", "contradiction", "neutral"]))
    }

    @Test(.enabled(if: ReferenceMaterial.directory != nil, "needs SuperGLUE's files, which are not distributed here"))
    func `SuperGLUE's own files have their real numbers of rows`() throws {
        let place = try Self.place("superglue.yaml", data: ReferenceMaterial.path("data"))
        let tasks = try RunConfiguration.load(file: place.file("superglue.yaml")).definitions()
        for (task, counts) in zip(tasks, [[250, 28, 28], [369, 50, 50]]) {
            let examples = try TaskExamples(task)
            #expect(examples.splitNames.map(examples.count) == counts, "\(task.name)")
        }
    }

    @Test func `every example is a configuration that this version reads`() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.directory).filter { $0.hasSuffix(".yaml") }
        #expect(names.count >= 2)
        for name in names {
            #expect(try !RunConfiguration.load(file: "\(Self.directory)/\(name)").definitions().isEmpty, "\(name)")
        }
    }

    /// A copy of an example whose `data` is at another path.
    private static func place(_ name: String, data: String) throws -> TemporaryDirectory {
        let place = try TemporaryDirectory()
        try FileManager.default.copyItem(atPath: "\(directory)/\(name)", toPath: place.file(name))
        try FileManager.default.createSymbolicLink(atPath: place.file("data"), withDestinationPath: data)
        return place
    }
}
