import Failures
import Foundation
import Tasks
import Tensors
import TestSupport
import Testing
import Text

@Suite struct DamagedCacheTests {
    let directory: TemporaryDirectory
    let vocabulary: Vocabulary
    let tasks: [TaskDefinition]
    let cache: Data
    let path: String

    init() throws {
        let fixture = try CacheFixture()
        directory = fixture.directory
        vocabulary = fixture.vocabulary
        tasks = try fixture.tasks(["rte", "stsb"])
        path = try TokenCache.openOrBuild(tasks: tasks, vocabulary: vocabulary, directory: directory.path).path
        cache = try Data(contentsOf: URL(fileURLWithPath: path))
        // The fixture's files may be removed: a cache does not need them.
    }

    private func refusal(of content: Data) throws -> Failure? {
        let path = directory.file("damaged.cache")
        try content.write(to: URL(fileURLWithPath: path))
        do throws(Failure) {
            let cache = try TokenCache(path: path)
            readEverything(cache)
            return nil
        } catch { return error }
    }

    /// Reads everything that an accepted cache gives access to.
    private func readEverything(_ cache: TokenCache) {
        var sum = 0
        for split in cache.tasks.flatMap(\.splits) {
            for index in 0..<split.count {
                sum &+= split.source(index).reduce(0) { $0 &+ Int($1) }
                sum &+= split.target(index).reduce(0) { $0 &+ Int($1) }
                sum &+= split.origin(index).line
            }
        }
        #expect(sum > 0)
    }

    @Test func `the intact cache is accepted`() throws {
        #expect(try refusal(of: cache) == nil)
        expectFailure(.badData, "was made from other inputs", "delete it") {
            try TokenCache(path: path, expecting: ContentDigest(of: "another"))
        }
        let absent = directory.file("absent/x.cache")
        expectFailure(.inputMissing, absent) { try TokenCache(path: absent) }
    }

    @Test func `a cache cut anywhere is refused`() throws {
        for length in stride(from: 0, to: cache.count, by: max(1, cache.count / 200)) {
            let failure = try #require(try refusal(of: cache.prefix(length)))
            #expect(failure.code == .badData && failure.message.contains("cannot be used"))
        }
        #expect(try refusal(of: cache + [0])?.message.contains("instead of") == true)
    }

    @Test func `one changed byte anywhere that matters is found`() throws {
        var changes = 0
        for position in stride(from: 0, to: cache.count, by: 61) where !(96..<128).contains(position) {
            var damaged = cache
            damaged[position] ^= 0x41
            // The key is not part of the digested content: an accepted cache with another key fails when a key is expected.
            if let failure = try refusal(of: damaged) {
                #expect(failure.code == .badData)
                changes += 1
            } else {
                #expect((32..<64).contains(position))
            }
        }
        #expect(changes > cache.count / 61 - 3)
    }

    @Test func `a damaged cache with a right digest is refused or harmless`() throws {
        var state: UInt64 = 7
        func random(below bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % UInt64(bound))
        }
        var refused = 0
        for _ in 0..<3000 {
            var damaged = cache
            for _ in 0..<1 + random(below: 3) {
                let position = 128 + random(below: cache.count - 128)
                damaged[position] = random(below: 2) == 0 ? UInt8(random(below: 256)) : 0xFF
            }
            let digest = damaged.dropFirst(128).withUnsafeBytes { ContentDigest(of: $0) }
            damaged.replaceSubrange(64..<96, with: Data(digest.hexadecimal.utf8))
            if try refusal(of: damaged) != nil { refused += 1 }
        }
        #expect(refused > 300)
    }

    @Test func `a damaged cache is rebuilt`() throws {
        try cache.prefix(1000).write(to: URL(fileURLWithPath: path))
        let fixture = try CacheFixture()
        let again = try TokenCache.openOrBuild(
            tasks: fixture.tasks(["rte", "stsb"]), vocabulary: vocabulary, directory: directory.path)
        #expect(again.path == path)
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == cache)
    }
}
