import Failures
import Testing

@testable import Tensors

@Suite struct MemoryLimitTests {
    private static let whole = MemoryLimit(bytes: 1000, name: "this machine")

    private func least(_ groups: String, _ files: [String: String]) -> MemoryLimit {
        MemoryLimit.least(Self.whole, groups: groups) { files[$0] }
    }

    @Test func `the least limit of a control group and of those above it counts`() {
        let files = ["/a/b/memory.max": "max\n", "/a/memory.max": "300\n", "/memory.max": "500\n"]
        #expect(least("0::/a/b\n", files) == MemoryLimit(bytes: 300, name: "the job (its control group)"))
        #expect(least("0::/\n", files).bytes == 500)
        #expect(least("0::/elsewhere\n", [:]) == Self.whole)
        #expect(least("0::/a\n", ["/a/memory.max": "5000\n"]) == Self.whole)
    }

    @Test func `groups of the first version are those of memory`() {
        let files = ["/memory/job/memory.limit_in_bytes": "200\n", "/cpu/job/memory.limit_in_bytes": "1\n"]
        #expect(least("3:cpu,cpuacct:/job\n2:memory:/job\n", files).bytes == 200)
        // This value means that there is no limit.
        let none = ["/memory/job/memory.limit_in_bytes": "9223372036854771712\n"]
        #expect(least("2:memory:/job\n", none) == Self.whole)
    }

    @Test func `this machine has memory, and this process addresses`() {
        #expect(MemoryLimit.machine.bytes > 1 << 28)
        #expect(MemoryLimit.addressesInUse > 1 << 20)
    }

    @Test func `memory that cannot be had is told with what it is for and what to lower`() {
        let failure = Memory.shortage(3 << 20, .activations)
        #expect(failure.code == .systemRefused && failure.code.rawValue == 71)
        #expect(failure.message.hasPrefix("3.0 MiB of memory for activations cannot be allocated"))
        #expect(failure.message.contains("lower batch.micro, eval.batch, data.maxSource or parallel.threads"))
        #expect(Memory.allocateIfPossible(byteCount: 1 << 60, alignment: 64) == nil)
        #expect(Memory.allocateIfPossible(byteCount: -1, alignment: 64) == nil)
    }

    @Test func `a workspace that is reserved is one block, and one that cannot be grows`() {
        let reserved = Workspace(reserving: 100 << 20)
        let small = MemoryLimit.countsReserved
        #expect(reserved.capacity == (small ? 16 << 20 : 100 << 20))
        let impossible = Workspace(reserving: 1 << 60)
        #expect(impossible.capacity == 16 << 20)
        _ = impossible.take(Float.self, 5 << 20)
        #expect(impossible.highWater > 20 << 20)
    }
}
