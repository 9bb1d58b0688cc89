import Foundation
import TestSupport
import Testing

@testable import Runs

/// What computed the steps of a run, by its lines in `jobs.jsonl`.
@Suite struct JobRecordTests {
    private static func start(_ step: Int, _ libraries: [String: String]?) -> JobRecord {
        JobRecord(startAt: step, ranks: 1, libraries: libraries)
    }

    private static func end(_ step: Int) -> JobRecord {
        JobRecord(end: RunStatus(state: .preempted, reason: "why", exitCode: 85, step: step, steps: 9, time: 0))
    }

    private static let (one, two) = (["blas": "A", "kernels": "B"], ["blas": "A", "kernels": "C"])

    @Test func `jobs that were computed differently are named with their first steps`() {
        let records = [
            Self.start(0, Self.one), Self.end(5), Self.start(5, Self.two), Self.end(7), Self.start(7, Self.one),
        ]
        let all = JobRecord.differences(among: records, through: 9)
        #expect(all == ["kernels was B from the start and then C after step 5 and then B after step 7"])
        #expect(
            JobRecord.differences(among: records, through: 7) == [
                "kernels was B from the start and then C after step 5"
            ])
        #expect(JobRecord.differences(among: records, through: 5).isEmpty)
    }

    @Test func `steps that were computed again are those of the later job`() {
        let again = [
            Self.start(0, Self.one), Self.start(4, Self.two), Self.start(0, Self.two), Self.start(6, Self.two),
        ]
        #expect(JobRecord.differences(among: again, through: 9).isEmpty)
        let since = [Self.start(0, Self.one), Self.start(4, Self.one), Self.start(4, Self.two)]
        #expect(
            JobRecord.differences(among: since, through: 9) == ["kernels was B from the start and then C after step 4"])
    }

    @Test func `jobs of earlier versions do not say what computed them`() {
        #expect(JobRecord.differences(among: [Self.start(0, nil), Self.start(4, Self.one)], through: 9).isEmpty)
        let added = Self.one.merging(["new": "D"]) { $1 }
        let newer = [Self.start(0, Self.one), Self.start(4, added)]
        #expect(
            JobRecord.differences(among: newer, through: 9) == ["new was absent from the start and then D after step 4"]
        )
    }

    @Test func `a run's lines are read, without one that was cut off`() throws {
        let directory = try TemporaryDirectory()
        let run = RunDirectory(directory.path)
        #expect(JobRecord.read(run).isEmpty)
        let records = [Self.start(0, Self.one), Self.end(3)]
        for record in records { record.append(to: run) }
        let file = try #require(FileHandle(forWritingAtPath: directory.file("jobs.jsonl")))
        try file.seekToEnd()
        try file.write(contentsOf: Data("{\"kind\":\"sta".utf8))
        try file.close()
        #expect(JobRecord.read(run) == records)
    }
}
