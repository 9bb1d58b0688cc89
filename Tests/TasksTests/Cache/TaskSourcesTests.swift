import Failures
import Foundation
import TestSupport
import Testing

@testable import Tasks

@Suite struct TaskSourcesTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        for name in ["train", "val", "test"] { try directory.write(name + ".tsv", "a\tlabel\n\(name)\t0\nx\t1\n") }
    }

    private func sources(_ splits: [SplitDefinition], name: String = "t") throws -> [TaskSources] {
        let task = try TaskDefinition(
            name: name, format: .tsv(hasHeader: true), fields: [Field("a")], label: .named("label"),
            answers: .classes(["0", "1"]), labels: LabelMap(classes: ["0", "1"]), metrics: [.accuracy], splits: splits)
        let fixture = try CacheFixture()
        return try TokenCacheInputs([task], fixture.vocabulary, TokenCacheOptions(), threads: 1).sources
    }

    private func splits(_ validation: String = "val.tsv", test: String? = nil) -> [SplitDefinition] {
        SplitDefinition.splits(
            train: [directory.file("train.tsv")], validation: [directory.file(validation)],
            test: test.map { [directory.file($0)] } ?? [])
    }

    @Test func `a file whose content has changed is named with its task and split`() throws {
        let before = try sources(splits())
        #expect(try TaskSources.differences(from: before, to: sources(splits())).isEmpty)
        try directory.write("val.tsv", "a\tlabel\nother\t0\nx\t1\n")
        #expect(
            TaskSources.differences(from: before, to: try sources(splits())) == [
                "task t: its validation file val.tsv has other content",
                "task t: its test file val.tsv has other content",
            ])
    }

    @Test func `splits that are of other rows are told in words`() throws {
        let before = try sources(splits())
        #expect(
            TaskSources.differences(from: before, to: try sources(splits(test: "test.tsv"))) == [
                "task t: its validation split was the first half of val.tsv and is all rows of val.tsv",
                "task t: its test split was the other half of val.tsv and is all rows of test.tsv",
            ])
        let heldOut = try sources(SplitDefinition.splits(train: [directory.file("train.tsv")], holdOut: 5))
        #expect(
            TaskSources.differences(from: before, to: heldOut) == [
                "task t: its validation split was the first half of val.tsv and is 5 rows held out of training",
                "task t: it has no test split any more",
            ])
        #expect(TaskSources.differences(from: heldOut, to: before).last == "task t: it had no test split")
        #expect(
            TaskSources.differences(from: before, to: try sources(splits(), name: "u"))
                == ["task u was not there", "task t is gone"])
    }

    /// They are part of the state in every checkpoint.
    @Test func `they come back from JSON`() throws {
        let sources = try sources(splits())
        let data = try JSONEncoder().encode(sources)
        #expect(try JSONDecoder().decode([TaskSources].self, from: data) == sources)
    }

    @Test func `a cache knows its sources, made or found`() throws {
        let fixture = try CacheFixture()
        let task = try fixture.task("rte")
        let cache = try TokenCache.openOrBuild(
            tasks: [task], vocabulary: fixture.vocabulary, directory: directory.path)
        #expect(cache.sources.map(\.task) == ["rte"])
        let again = try TokenCache.openOrBuild(
            tasks: [task], vocabulary: fixture.vocabulary, directory: directory.path)
        #expect(again.sources == cache.sources)
        #expect(try TokenCache(path: cache.path).sources.isEmpty)
    }
}
