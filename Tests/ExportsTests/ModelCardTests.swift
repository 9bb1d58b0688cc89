import Foundation
import Runs
import TestSupport
import Testing
import Training

@testable import Exports

@Suite struct ModelCardTests {
    private static func name(_ configuration: String, path: String = "model", given: String? = nil) throws -> BaseName {
        let directory = try TemporaryDirectory()
        try directory.write(path + "/config.json", configuration)
        return try BaseName(ofModel: directory.file(path), given: given)
    }

    @Test func `the base has the name that the user, its file or the hub's cache gives`() throws {
        #expect(try Self.name("{}", given: "me/mine").published == "me/mine")
        #expect(try Self.name("{\"_name_or_path\": \"google/t5-v1_1-small\"}").text == "google/t5-v1_1-small")
        let cached = "models--google--flan-t5-small/snapshots/0fc9ddf78a1e988dac52e2dac162b0ede4fd74ab"
        #expect(try Self.name("{\"_name_or_path\": \"/home/a/x\"}", path: cached).text == "google/flan-t5-small")
        for other in ["/home/a/t5", "../t5", "a/b/c", "", "t5 small"] {
            let name = try Self.name("{\"_name_or_path\": \"\(other)\"}")
            #expect(name.published == nil && name.text.hasPrefix("/") && name.notice?.contains("--base-name") == true)
        }
    }

    private static func card(_ format: ExportFormat, base: BaseName) -> ModelCard {
        return ModelCard(
            format: format, method: "unolora", base: base, digest: "00", tasks: [], step: 40, notes: ["Exact."],
            records: [], split: "validation", changes: [], program: "1.0")
    }

    @Test(arguments: ExportFormat.allCases)
    func `its front matter names the base, the library and tags`(format: ExportFormat) throws {
        let text = Self.card(format, base: try Self.name("{}", given: "me/mine")).text
        let parts = text.components(separatedBy: "---\n")
        #expect(parts[0].isEmpty && parts.count >= 3)
        let library = ["peft": "peft", "merged": "transformers", "native": "unolora-dist"][format.rawValue] ?? ""
        #expect(
            parts[1].hasPrefix("base_model: \"me/mine\"\n") && parts[1].contains("library_name: \(library)\ntags:\n- "))
        #expect(text.contains("## How to load it\n\n```python\n") && text.contains("- Exact.\n"))
    }

    @Test func `the path of a base without a name is not published`() throws {
        let base = try Self.name("{}")
        for format in ExportFormat.allCases {
            let text = Self.card(format, base: base).text
            #expect(!text.contains(base.text) && text.contains("# base_model:"))
        }
    }

    @Test func `texts of the user stay code whatever is in them`() {
        #expect(Markdown.code("a `b` ``c``") == "``` a `b` ``c`` ```")
        #expect(Markdown.code("two\nlines") == "`two lines`")
        #expect(Markdown.quoted("a \"b\"\\") == "\"a \\\"b\\\"\\\\\"")
    }
}
