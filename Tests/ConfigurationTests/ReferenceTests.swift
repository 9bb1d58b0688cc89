import Failures
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

    @Test func `every key stands once in page and listing, with a purpose and in a known section`() throws {
        let listing = try KeyListing.text(of: nil)
        #expect(KeyTable.byPath.count == KeyTable.keys.count)
        let sections = KeyTable.sections.map(\.name)
        for key in KeyTable.keys {
            #expect(ConfigurationReference.markdown.components(separatedBy: "| `\(key.path)`").count == 2)
            #expect(listing.contains("\n  \(key.path)  ("))
            #expect(key.purpose.hasSuffix("."), "\(key.path)")
            #expect(sections.contains(RunConfiguration.section(key.path)))
        }
    }

    @Test func `a section or a single key can be asked for`() throws {
        for section in KeyListing.sections {
            let text = try KeyListing.text(of: section)
            let name = section == "top" ? "" : section
            for key in KeyTable.keys {
                #expect(
                    text.contains("\n  \(key.path)  (") == (RunConfiguration.section(key.path) == name), "\(key.path)")
            }
        }
        #expect(try KeyListing.text(of: "lora.rank").hasPrefix("  lora.rank  (default 8; "))
        #expect(try KeyListing.text(of: "labels.style") == KeyListing.text(of: "data.labelStyle"))
        #expect(try KeyListing.text(of: "tasks").contains("holdOut"))
    }

    @Test func `the listing fits a terminal, but for words that are longer`() throws {
        for line in try KeyListing.text(of: nil).split(separator: "\n") {
            #expect(line.count <= 80 || !line.drop { $0 == " " }.contains(" "), "\(line)")
        }
    }

    @Test(arguments: [
        ("lora.rnk", "lora.rnk is neither a key nor a section; did you mean lora.rank?"),
        ("smapler", "smapler is neither a key nor a section; did you mean sampler?"),
        ("nothing.like.it", "nothing.like.it is neither a key nor a section; the sections are top, data, lora,"),
    ])
    func `another word is refused`(word: String, sentence: String) throws {
        let failure = try #require(throws: Failure.self) { try KeyListing.text(of: word) }
        #expect(failure.code == .usage && failure.message.hasPrefix(sentence), "\(failure.message)")
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
