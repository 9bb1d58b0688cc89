import Foundation
import Testing

@testable import Runs

@Suite struct StartupTimesTests {
    @Test func `the parts follow each other and sum up`() throws {
        let begun = ContinuousClock.now
        var times = StartupTimes()
        usleep(30_000)
        times.finished(.mpi)
        times.finished(.configuration)
        usleep(10_000)
        times.finished(.mpi)
        let elapsed = ProgressLine.seconds(begun.duration(to: .now))
        let record = times.record
        #expect(Set(record.parts.keys) == ["process", "mpi", "configuration"])
        let (mpi, configuration) = try (#require(record.parts["mpi"]), #require(record.parts["configuration"]))
        #expect(mpi >= 0.04 && mpi + configuration <= elapsed)
        #expect(abs(record.seconds - record.parts.values.reduce(0, +)) < 1e-9)
    }

    @Test func `the first part is the age of the process`() throws {
        let first = try #require(StartupTimes().record.parts["process"])
        usleep(50_000)
        let second = try #require(StartupTimes().record.parts["process"])
        // These tests have run for some time, but less than a day.
        #expect(first > 0 && first < 86_400)
        #expect(second - first >= 0.04 && second - first < 10)
    }
}
