import Failures
import Foundation
import TestSupport
import Testing
import Text

@testable import Tasks
@testable import Tensors

/// Caches with a correct digest and a header that no builder writes.
@Suite struct ForgedCacheTests {
    private let cache: [UInt8]

    init() throws {
        let fixture = try CacheFixture()
        let path = try TokenCache.openOrBuild(
            tasks: fixture.tasks(["rte", "stsb"]), vocabulary: fixture.vocabulary, directory: fixture.directory.path
        ).path
        cache = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    /// The cache with a changed header, and everything else adapted to it.
    private func forged(
        _ old: String, _ new: String, _ change: (inout TokenCacheHeader) -> Void
    ) throws -> MappedFile {
        let start = TokenCacheFormat.prologueSize
        let size = cache.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: 24, as: UInt64.self)) }
        var header = try JSONDecoder().decode(TokenCacheHeader.self, from: Data(cache[start..<start + size]))
        change(&header)
        let text = String(decoding: try StableJSON.line(header, "h"), as: UTF8.self)
        var content = Array(text.replacingOccurrences(of: old, with: new).utf8)
        content += Array(repeating: 0x20, count: TokenCacheFormat.aligned(content.count) - content.count)
        let headerSize = content.count
        content += cache[(start + size)...]
        let prologue = TokenCacheFormat.prologue(
            fileSize: start + content.count, headerSize: headerSize, key: ContentDigest(of: ""),
            content: content.withUnsafeBytes { ContentDigest(of: $0) })
        return (prologue + content).withUnsafeBytes { MappedFile(copying: $0, path: "c") }
    }

    /// The refusal of a cache after a change of its header and after replacing `old` by `new` in the header's text.
    private func refusal(
        _ old: String = "", _ new: String = "", _ change: (inout TokenCacheHeader) -> Void = { _ in }
    ) throws -> String? {
        let file = try forged(old, new, change)
        do throws(Failure) {
            _ = try TokenCacheReader(file).contents()
            return nil
        } catch { return error.message }
    }

    @Test func `an unchanged header is accepted`() throws {
        #expect(try refusal() == nil)
    }

    /// A few kilobytes of header could cause the same gigabytes to be read and copied again and again.
    @Test func `a task that is there twice and shares its sections is refused`() throws {
        #expect(try refusal { $0.tasks.append($0.tasks[0]) } == "a section is misplaced")
        #expect(try refusal { $0.tasks[1].targets = $0.tasks[0].targets } == "a section is misplaced")
    }

    @Test func `counts that are impossible are refused`() throws {
        for count in [-1, Int.max, Int.max / 8, 1 << 50] {
            let section = TokenCacheHeader.Section(count: count, tokens: 1)
            let tokens = TokenCacheHeader.Section(count: 1, tokens: count)
            #expect(try refusal { $0.tasks[0].targets = section } == "a section is misplaced")
            #expect(try refusal { $0.tasks[1].splits[0].sources = tokens } == "a section is misplaced")
        }
        for number in ["-1", "9223372036854775807"] {
            #expect(
                try refusal("\"droppedDuplicates\":0", "\"droppedDuplicates\":\(number)") == "its report is damaged")
            #expect(try refusal("\"badRows\":0", "\"badRows\":\(number)") == "its report is damaged")
            #expect(try refusal("\"otherAnswer\":0", "\"otherAnswer\":\(number)") == "its report is damaged")
            #expect(try refusal("\"longest\":", "\"longest\":\(number),\"was\":") == "its report is damaged")
        }
    }

    /// Versions before the figures of repeated texts and of whole lengths wrote such headers.
    @Test func `a header without figures of an earlier version is refused, so that the cache is built again`() throws {
        #expect(try refusal("\"repeated\":", "\"others\":") == "its header is damaged")
        #expect(try refusal("\"whole\":", "\"others\":") == "its header is damaged")
        #expect(try refusal("\"dropped\":", "\"others\":") == "its header is damaged")
    }

    /// The memory is planned with this number.
    @Test func `a longest source that is not the longest is refused`() throws {
        let refusal = try refusal { header in
            let split = header.tasks[0].splits[0]
            var forged = TokenCacheHeader.Split(
                name: split.name, label: split.label, sources: split.sources, longestSource: split.longestSource + 1)
            (forged.gold, forged.origins) = (split.gold, split.origins)
            header.tasks[0].splits[0] = forged
        }
        #expect(refusal == "its longest source is another")
    }
}
