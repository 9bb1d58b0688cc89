import Failures
import Foundation
import Tasks
import TestSupport
import Testing

@Suite struct TokenShardTests {
    let fixture: CacheFixture
    let builder: TokenCacheBuilder
    let directory: TemporaryDirectory

    init() throws {
        fixture = try CacheFixture()
        builder = try TokenCacheBuilder(
            tasks: fixture.tasks(["rte", "sst2", "mrpc"]), vocabulary: fixture.vocabulary,
            options: TokenCacheOptions(maxSource: 12))
        directory = try TemporaryDirectory()
    }

    private func names() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
    }

    @Test(arguments: [1, 2, 3, 20])
    func `any number of shards gives the bytes of one process, and leaves no shard`(count: Int) throws {
        let whole = directory.file("whole"), assembled = directory.file("assembled")
        try builder.build(at: whole)
        for index in (0..<count).reversed() { try builder.writeShard(index, of: count, in: directory.path) }
        #expect(try names().count == count + 1)
        try builder.assemble(shards: count, in: directory.path, at: assembled)
        #expect(try names() == ["assembled", "whole"])
        #expect(try Data(contentsOf: URL(fileURLWithPath: assembled)) == Data(contentsOf: URL(fileURLWithPath: whole)))
    }

    @Test func `missing, damaged and foreign shards are refused`() throws {
        try builder.writeShard(0, of: 2, in: directory.path)
        let out = directory.file("out")
        expectFailure(.inputMissing, "shard-1-of-2") { try builder.assemble(shards: 2, in: directory.path, at: out) }
        try builder.writeShard(1, of: 2, in: directory.path)
        let shard = URL(fileURLWithPath: directory.file(try names()[1]))
        let good = try Data(contentsOf: shard)
        for (content, reason) in [
            (good.prefix(good.count - 4), "is damaged"), (good.prefix(71), "is none of this build"),
            (good.prefix(100) + [good[100] ^ 1] + good.dropFirst(101), "is damaged"),
            (Data("UNOSHARD".utf8) + Data(repeating: 0x30, count: 64), "is none of this build"),
        ] {
            try content.write(to: shard)
            expectFailure(.badData, reason) { try builder.assemble(shards: 2, in: directory.path, at: out) }
        }
        // The first shard under the second one's name: whole, of this build, but not what is missing.
        try Data(contentsOf: URL(fileURLWithPath: directory.file(try names()[0]))).write(to: shard)
        expectFailure(.badData, "lack a part of task") { try builder.assemble(shards: 2, in: directory.path, at: out) }
        #expect(!FileManager.default.fileExists(atPath: out))
    }
}
