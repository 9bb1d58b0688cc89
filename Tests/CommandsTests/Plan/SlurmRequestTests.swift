import Testing

@testable import Commands

@Suite struct SlurmRequestTests {
    private static func request(
        ranks: Int = 1, ranksPerNode: Int = 1, bytes: Double = 1, seconds: Double = 1, isMeasured: Bool = true
    ) -> SlurmRequest {
        SlurmRequest(
            ranks: ranks, ranksPerNode: ranksPerNode, threads: 3, bytes: bytes, seconds: seconds, isMeasured: isMeasured
        )
    }

    @Test func `the last node may have fewer ranks, and exactly the planned ones start`() {
        let lines = Self.request(ranks: 9, ranksPerNode: 4).lines
        for line in [
            "#SBATCH --nodes=3", "#SBATCH --ntasks=9", "#SBATCH --ntasks-per-node=4", "#SBATCH --cpus-per-task=3",
        ] {
            #expect(lines.contains(line), "\(lines)")
        }
    }

    @Test func `memory is a quarter more, in whole GiB`() {
        #expect(Self.request(bytes: 4 * 0x1p30).memoryGiB == 5)
        #expect(Self.request(bytes: 4 * 0x1p30 + 1).memoryGiB == 6)
        #expect(Self.request(bytes: 1).lines.contains("#SBATCH --mem=1G"))
    }

    /// The margin, two minutes, and then up to the next five minutes.
    @Test func `time has a margin, more for a guess`() {
        #expect(Self.request(seconds: 120).time == "00:05:00")
        #expect(Self.request(seconds: 121).time == "00:10:00")
        #expect(Self.request(seconds: 120, isMeasured: false).time == "00:10:00")
        #expect(Self.request(seconds: 57_520).time == "1-00:00:00")
        #expect(Self.request(seconds: 10 * 86_400 - 80).time == "15-00:00:00")
        #expect(Self.request(seconds: .infinity).seconds > 0)
    }
}
