import Foundation
import Testing

@testable import Configuration

@Suite struct ReferenceTests {
    /// `docs/configuration.md` of this checkout.
    private let page = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("docs/configuration.md")

    @Test func `docs/configuration.md is the page that the table of keys makes`() throws {
        let command = "UNOLORA_WRITE_DOCS=1 swift test -c release -Xswiftc -enable-testing --filter ReferenceTests"
        if ProcessInfo.processInfo.environment["UNOLORA_WRITE_DOCS"] == "1" {
            try ConfigurationReference.markdown.write(to: page, atomically: true, encoding: .utf8)
        }
        let text = try String(contentsOf: page, encoding: .utf8)
        #expect(text == ConfigurationReference.markdown, "the page is not the table's; write it again: \(command)")
    }

    @Test func `every key stands once in page and listing, with a purpose and in a known section`() {
        #expect(KeyTable.byPath.count == KeyTable.keys.count)
        let sections = KeyTable.sections.map(\.name)
        for key in KeyTable.keys {
            #expect(ConfigurationReference.markdown.components(separatedBy: "| `\(key.path)`").count == 2)
            #expect(ConfigurationReference.listing.contains("\(key.path) "))
            #expect(key.purpose.hasSuffix("."), "\(key.path)")
            #expect(sections.contains(RunConfiguration.section(key.path)))
        }
        #expect(ConfigurationReference.listing.split(separator: "\n").count == KeyTable.keys.count)
    }

    @Test func `every default is a value that its key allows`() throws {
        for key in KeyTable.keys {
            guard let standard = key.standard else { continue }
            _ = try key.read(try Layer.standard(key, standard), directory: "/")
        }
    }

    @Test func `other names lead to keys`() {
        for (_, path) in KeyTable.aliases { #expect(KeyTable.byPath[path] != nil) }
    }

    @Test func `the distance of words counts slips, a swap once`() {
        #expect(UnknownKey.distance("rank", "rank") == 0)
        #expect(UnknownKey.distance("rnk", "rank") == 1)
        #expect(UnknownKey.distance("rakn", "rank") == 1)
        #expect(UnknownKey.distance("", "rank") == 4)
        #expect(UnknownKey.distance("kitten", "sitting") == 3)
    }

    @Test func `the example of a custom task on the page can be read`() throws {
        let page = ConfigurationReference.markdown
        let start = try #require(page.range(of: "```yaml\ntasks:\n"))
        let end = try #require(page.range(of: "```", range: start.upperBound..<page.endIndex))
        let tasks = try load(complete + "tasks:\n" + page[start.upperBound..<end.lowerBound]).tasks
        #expect(tasks.map(\.name) == ["rte", "cb"])
    }
}
