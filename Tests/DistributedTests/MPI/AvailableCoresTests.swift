import Foundation
import Testing

@testable import MPI

@Suite struct AvailableCoresTests {
    @Test func `a kernel list is ranges and single numbers`() {
        #expect(AvailableCores.list(of: "0-3,8,10-11\n") == [0, 1, 2, 3, 8, 10, 11])
        #expect(AvailableCores.list(of: "5") == [5])
        #expect(AvailableCores.list(of: "") == [])
        #expect(AvailableCores.list(of: "x,3-1,7") == [7])
    }

    @Test func `the affinity mask is read from the process's status`() {
        let status = "Name:\tx\nCpus_allowed:\t0f\nCpus_allowed_list:\t0-1,4\nMems_allowed_list:\t0\n"
        #expect(AvailableCores.processors(inStatus: status) == [0, 1, 4])
        #expect(AvailableCores.processors(inStatus: "Name:\tx\n") == [])
    }

    @Test func `a quota of control group version 2 is found on the group and on its ancestors`() {
        let files = [
            "/sys/fs/cgroup/a/b/cpu.max": "max 100000\n", "/sys/fs/cgroup/a/cpu.max": "250000 100000\n",
            "/sys/fs/cgroup/cpu.max": "800000 100000\n",
        ]
        #expect(AvailableCores.quota(memberships: "0::/a/b\n") { files[$0] } == 2.5)
        #expect(AvailableCores.quota(memberships: "0::/c\n") { files[$0] } == 8)
        #expect(AvailableCores.quota(memberships: "0::/a/b\n") { _ in nil } == nil)
    }

    @Test func `a quota of control group version 1 is found, and -1 is none`() {
        let files = [
            "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "150000\n", "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            "/sys/fs/cgroup/cpu/job/cpu.cfs_quota_us": "-1\n", "/sys/fs/cgroup/cpu/job/cpu.cfs_period_us": "100000\n",
        ]
        let memberships = "5:cpuset:/\n4:cpu,cpuacct:/job\n1:name=systemd:/x:y\n"
        #expect(AvailableCores.quota(memberships: memberships) { files[$0] } == 1.5)
        #expect(AvailableCores.quota(memberships: "5:cpuset:/job\n") { files[$0] } == nil)
    }

    @Test func `malformed quotas are none`() {
        for text in ["", "max", "100000", "a b", "100000 0", "0 100000"] {
            #expect(AvailableCores.quota(ofVersion2: text) == nil)
        }
    }

    @Test func `the smaller limit counts, a quota rounded up`() {
        let cores = Set(0..<8)
        #expect(AvailableCores(cores: cores, quota: nil).count == 8)
        #expect(AvailableCores(cores: cores, quota: nil).limit == .affinity)
        #expect(AvailableCores(cores: cores, quota: 8).limit == .affinity)
        let limited = AvailableCores(cores: cores, quota: 1.5)
        #expect(limited.count == 2)
        #expect(limited.limit == .quota)
        #expect(limited.description == "2 (quota of 1.5 cores; affinity allows 8)")
        #expect(AvailableCores(cores: [], quota: nil).count == 1)
        #expect(AvailableCores(cores: cores, quota: 1e300).count == 8)
    }

    @Test func `processes with the same mask divide it, bound processes keep their own`() {
        func process(_ cores: Range<Int>, quota: Double? = nil) -> AvailableCores {
            AvailableCores(cores: Set(cores), quota: quota)
        }
        #expect(AvailableCores.shares(of: [process(0..<9), process(0..<9), process(0..<9)]) == [3, 3, 3])
        #expect(AvailableCores.shares(of: [process(0..<4), process(4..<5)]) == [4, 1])
        #expect(AvailableCores.shares(of: [process(0..<2), process(0..<2), process(0..<2)]) == [1, 1, 1])
        #expect(AvailableCores.shares(of: [process(0..<8, quota: 4), process(0..<8, quota: 4)]) == [2, 2])
        #expect(AvailableCores.shares(of: [process(0..<4), process(0..<8)]) == [2, 6])
    }

    @Test func `this process may use at least one core and at most those of the machine`() {
        let cores = AvailableCores.ofThisProcess()
        #expect(cores.count >= 1)
        #expect(cores.count <= ProcessInfo.processInfo.processorCount)
    }
}
