import Failures
import Foundation
import Tasks
import Testing

@Suite struct SamplerTests {
    private func sampler(
        seed: UInt64 = 1, sizes: [Int] = [10, 23, 100], temperature: Double = 10,
        granularity: Sampler.Granularity = .example, batch: Int = 12, micro: Int = 4
    ) throws -> Sampler {
        let tasks = sizes.enumerated().map { (name: "t\($0)", examples: $1) }
        return try Sampler(
            seed: seed, mixture: Mixture(tasks: tasks, temperature: temperature), granularity: granularity,
            batch: batch, micro: micro)
    }

    @Test(arguments: Sampler.Granularity.allCases)
    func `within a pass every example of a task occurs once`(granularity: Sampler.Granularity) throws {
        let sizes = [10, 23, 100]
        var sampler = try sampler(sizes: sizes, granularity: granularity)
        var drawn = [[Int]](repeating: [], count: 3)
        for _ in 0..<200 {
            for slot in sampler.next() { drawn[slot.task].append(slot.example) }
        }
        for (task, size) in sizes.enumerated() {
            let passes = drawn[task].count / size
            #expect(passes >= 3)
            var orders = Set<[Int]>()
            for pass in 0..<passes {
                let order = Array(drawn[task][pass * size..<(pass + 1) * size])
                #expect(order.sorted() == Array(0..<size))
                orders.insert(order)
            }
            #expect(orders.count == passes, "each pass has an order of its own")
            let rest = drawn[task][(passes * size)...]
            #expect(Set(rest).count == rest.count)
        }
    }

    @Test(arguments: Sampler.Granularity.allCases)
    func `seeking to a step equals calling next that often`(granularity: Sampler.Granularity) throws {
        // The batch is not a multiple of the micro-batch, so the last draw covers fewer slots.
        let fresh = try sampler(granularity: granularity, batch: 10)
        var walked = fresh
        var jumping = fresh
        for step in 0..<130 {
            var sought = fresh
            sought.seek(to: step)
            #expect(sought.step == step)
            let expected = walked.next()
            #expect(sought.next() == expected)
            if step % 17 == 0 {
                // This moves forwards over many steps, and backwards.
                jumping.seek(to: (step * 29) % 121)
                jumping.seek(to: step)
                #expect(jumping.next() == expected)
            }
        }
    }

    @Test func `granularity says which slots share a task`() throws {
        var batch = try sampler(granularity: .batch)
        var micro = try sampler(granularity: .microBatch, batch: 10)
        var example = try sampler(granularity: .example)
        var (microMixes, exampleMixes) = (0, 0)
        for _ in 0..<100 {
            let slots = batch.next()
            #expect(slots.map(\.index) == Array(0..<12))
            #expect(Set(slots.map(\.task)).count == 1)
            let microTasks = micro.next().map(\.task)
            #expect(microTasks.count == 10)
            for unit in [0..<4, 4..<8, 8..<10] { #expect(Set(microTasks[unit]).count == 1) }
            microMixes += Set(microTasks).count > 1 ? 1 : 0
            let exampleTasks = example.next().map(\.task)
            exampleMixes += Set(exampleTasks[0..<4]).count > 1 ? 1 : 0
        }
        #expect(microMixes > 50)
        #expect(exampleMixes > 50)
    }

    @Test func `the share of each task does not depend on the slot`() throws {
        var sampler = try sampler(sizes: [50, 50], granularity: .example, batch: 6)
        var counts = [Double](repeating: 0, count: 6)
        for _ in 0..<10_000 {
            for slot in sampler.next() where slot.task == 0 { counts[slot.index] += 1 }
        }
        // Four standard deviations of a binomial with p = 1/2.
        for count in counts { #expect(abs(count - 5_000) < 4 * 50) }
    }

    @Test func `different seeds give different streams`() throws {
        func stream(_ seed: UInt64) throws -> [[Sampler.Slot]] {
            var sampler = try sampler(seed: seed)
            return (0..<20).map { _ in sampler.next() }
        }
        #expect(try stream(1) == stream(1))
        #expect(try stream(1) != stream(2))
        #expect(try stream(1) != stream(1 << 32 | 1))
    }

    @Test func `a task's order of examples does not depend on the other tasks`() throws {
        func order(_ sizes: [Int], task: Int) throws -> [Int] {
            var sampler = try sampler(sizes: sizes)
            return Array((0..<40).flatMap { _ in sampler.next() }.filter { $0.task == task }.map(\.example).prefix(50))
        }
        #expect(try order([10, 23, 100], task: 1) == order([400, 23, 7, 9], task: 1))
    }

    // Computed independently of this code by a few lines of Python with Philox's definition (all but the last line).
    @Test func `the stream's bits are fixed`() throws {
        var sampler = try sampler(seed: 42)
        let slots = sampler.next()
        #expect(slots.map(\.task) == [1, 2, 0, 1, 0, 2, 2, 2, 0, 2, 2, 1])
        #expect(slots.map(\.example) == [6, 2, 1, 4, 5, 59, 36, 93, 0, 3, 62, 1])
        var batches = try self.sampler(seed: 42, granularity: .batch)
        #expect((0..<16).map { _ in batches.next()[0].task } == [1, 1, 0, 1, 2, 0, 1, 1, 1, 1, 0, 1, 0, 0, 0, 1])
        sampler.seek(to: 100_000)
        #expect(sampler.next().map(\.example) == [20, 65, 86, 4, 2, 8, 98, 35, 9, 31, 59, 5])
    }

    @Test func `steps reach the last of 32 bits`() throws {
        // 2 * (2^32 - 2) examples come before the last step but one: position 4 of a pass over 11.
        var single = try sampler(sizes: [11], batch: 2)
        single.seek(to: Sampler.lastStep)
        let last = single.next().map(\.example)
        #expect(single.step == Sampler.lastStep + 1)
        single.seek(to: Sampler.lastStep - 1)
        let both = single.next().map(\.example) + last
        #expect(Set(both).count == 4, "neighbours within one pass differ")
    }

    @Test func `replaying 8 million draws takes about a second`() throws {
        var long = try sampler(sizes: [8_551, 392_702, 3_668, 103_743, 362_846, 2_490, 66_349, 5_749], batch: 32)
        // This thread's processor time, which does not depend on other work on the machine.
        func seconds() -> Double {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
        }
        let begun = seconds()
        long.seek(to: 262_144)
        let taken = seconds() - begun
        #expect(long.next().count == 32)
        // 0.1 s was measured; the bound allows for a slow core.
        #expect(taken < 3, "\(taken)")
    }

    @Test func `a batch or micro-batch below 1 is refused`() throws {
        #expect(
            throws: Failure(
                .badConfiguration, "batch.global is 0 and batch.micro is 4; both must be at least 1")
        ) { try sampler(batch: 0) }
        #expect(throws: Failure.self) { try sampler(micro: 0) }
    }
}
