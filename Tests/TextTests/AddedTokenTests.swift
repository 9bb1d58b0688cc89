import Failures
import Foundation
import TestSupport
import Testing

@testable import Text

/// Texts that the tokenizer of the model reads as one token.
@Suite struct AddedTokenTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
        try VocabularyTrainer.train(
            sentences: sentences + ["[ ] fi 1 \u{e9} \u{df}"], pieces: 50, to: directory.file("spiece.model"))
    }

    /// The vocabulary with these files beside it.
    private func open(_ files: [String: String] = [:], rows: Int = 256) throws(Failure) -> Vocabulary {
        for (name, text) in files {
            do { try directory.write(name, text) } catch { fatalError("\(error)") }
        }
        return try Vocabulary(directory: directory.path, rows: rows)
    }

    @Test func `sentinels and special tokens split the text, and white space around them gives nothing`() throws {
        let vocabulary = try open()
        let (cat, sat) = (try vocabulary.encode("the cat"), try vocabulary.encode("sat on"))
        for text in [
            "the cat <extra_id_0> sat on", "the cat<extra_id_0>sat on", "  the cat  <extra_id_0>\t sat on ",
        ] {
            #expect(try vocabulary.encode(text) == cat + [149] + sat)
        }
        #expect(try vocabulary.encode("<extra_id_99>the cat</s>") == [50] + cat + [1])
        #expect(try vocabulary.encode("<pad> <unk><extra_id_1> <extra_id_2>") == [0, 2, 148, 147])
        #expect(try vocabulary.encode("the cat <extra_id_100>").count > cat.count + 1)
        for other in ["<extra_id_00>", "<EXTRA_ID_0>", "< /s>", "<extra_id_"] {
            #expect(try !vocabulary.encode(other).contains { $0 >= 50 || $0 < 2 }, "\(other)")
        }
        #expect(vocabulary.digest == (try Vocabulary(modelPath: directory.file("spiece.model")).digest))
    }

    @Test func `a text without an added token takes the short way and one with it says so`() throws {
        let vocabulary = try open()
        func holds(_ text: String) throws -> Bool {
            var ids: [Int32] = []
            return try Array(text.utf8).withUnsafeBytes { try vocabulary.encode(utf8: $0, into: &ids) }
        }
        #expect(try !holds("the cat") && !holds("a < b") && !holds("<extra_id_100>"))
        #expect(try holds("the <extra_id_7>") && holds("</s>"))
    }

    @Test func `tokens of all files are honoured with their ids`() throws {
        let listed = """
            {"tokenizer_class": "T5Tokenizer", "extra_ids": 3, "model_max_length": 1e30, "added_tokens_decoder": {
              "53": {"content": "<sep>", "special": false, "lstrip": true}, "54": {"content": "{", "special": false},
              "0": {"content": "<pad>", "special": true, "normalized": false}}}
            """
        let configured = try open(["tokenizer_config.json": listed])
        let (cat, sat) = (try configured.encode("cat"), try configured.encode("sat"))
        #expect(try configured.encode("cat <sep> sat { cat<extra_id_0>") == cat + [53] + sat + [54] + cat + [52])
        #expect(try configured.encode("<extra_id_3>").allSatisfy { $0 < 50 })
        #expect(configured.idCount == 55)

        try FileManager.default.removeItem(atPath: directory.file("tokenizer_config.json"))
        let added = try open(["added_tokens.json": #"{"<sep>": 150, "{": 151}"#])
        #expect(try added.encode("cat <sep> sat { cat<extra_id_0>") == cat + [150] + sat + [151] + cat + [149])
        #expect(added.digest != configured.digest)

        try FileManager.default.removeItem(atPath: directory.file("added_tokens.json"))
        let fast = try open([
            "tokenizer.json": """
            {"version": "1.0", "added_tokens": [{"id": 49, "content": "\(try piece(49))", "special": true},
            {"id": 150, "content": "<sep>", "special": true, "normalized": false}], "model": {"vocab": [["a", -1.5]]}}
            """
        ])
        #expect(try fast.encode("cat <sep> sat") == cat + [150] + sat)
        #expect(try fast.encode("cat <sep>\(piece(49)) sat") == cat + [150, 49] + sat)
    }

    private func piece(_ id: Int32) throws -> String {
        try Vocabulary(modelPath: directory.file("spiece.model")).handle.name(of: id)
    }

    @Test func `files that list what every T5 has change nothing`() throws {
        let plain = try open()
        let sentinels = (0..<100).map { #""\#(149 - $0)": {"content": "<extra_id_\#($0)>", "special": true}"# }
        let full = try open([
            "tokenizer_config.json":
                "{\"added_tokens_decoder\": {\(sentinels.joined(separator: ", "))}, \"extra_ids\": 100, \"legacy\": false}",
            "special_tokens_map.json": #"{"eos_token": {"content": "</s>", "normalized": true}, "pad_token": "<pad>"}"#,
            "added_tokens.json": #"{"<extra_id_0>": 149}"#,
        ])
        #expect(full.digest == plain.digest)
        #expect(try full.encode("the </s> <extra_id_4>") == plain.encode("the </s> <extra_id_4>"))
    }

    @Test func `of several tokens at a place the longest counts, from left to right`() throws {
        let vocabulary = try open(["added_tokens.json": #"{"<a": 150, "<a>": 151, "<a><b": 152, "b>": 153}"#])
        #expect(try vocabulary.encode("<a<a><a><bb>") == [150, 151, 152, 153])
        #expect(try vocabulary.encode("<a><b") == [152])
        #expect(try vocabulary.encode("<a><a>b>") == [151, 151, 153])
    }

    @Test func `a token of a whole word stands alone`() throws {
        let vocabulary = try open([
            "tokenizer_config.json": """
            {"added_tokens_decoder": {"150": {"content": "sat", "single_word": true, "normalized": false}}}
            """
        ])
        func count(_ text: String) throws -> Int { try vocabulary.encode(text).count { $0 == 150 } }
        #expect(try count("sat") == 1 && count("(sat) sat, -sat-") == 3)
        #expect(try count("sats") == 0 && count("xsat") == 0 && count("sat_") == 0 && count("sat1") == 0)
        #expect(try count("ésat satß sat\u{301}") == 0)
    }

    @Test func `a normalised token is found in the normalised text`() throws {
        let normalised = try open([
            "tokenizer_config.json": #"{"added_tokens_decoder": {"150": {"content": "{", "special": false}}}"#
        ])
        let (cat, fi) = (try normalised.encode("cat"), try normalised.encode("fi"))
        #expect(try normalised.encode("cat\u{FF5B}\u{FB01}") == cat + [150] + fi)
        let raw = try open([
            "tokenizer_config.json":
                #"{"added_tokens_decoder": {"150": {"content": "{", "special": false, "normalized": false}}}"#
        ])
        #expect(try raw.encode("cat{fi") == cat + [150] + fi)
        #expect(try !raw.encode("cat\u{FF5B}fi").contains(150))
        #expect(raw.digest != normalised.digest)
    }

    @Test func `what cannot be honoured is refused by name, and only in a text that holds it`() throws {
        let vocabulary = try open(
            [
                "tokenizer_config.json": """
                {"additional_special_tokens": ["<new>", "<extra_id_0>"], "added_tokens_decoder": {
                  "150": {"content": "\\n", "special": false}, "152": {"content": "e\\u0301", "special": false}}}
                """,
                "added_tokens.json": #"{"<old>": 151}"#,
            ], rows: 153)
        #expect(try vocabulary.encode("the cat").allSatisfy { $0 < 50 })
        for (text, reason) in [
            ("the <new> cat", "to which no file gives an id"), ("the\ncat", "normalized: false"),
            // Swift takes this for equal to its normalised form, but its bytes differ.
            ("the e\u{301} cat", "normalized: false"),
            ("<old>", "tokenizer_config.json does not list"),
        ] {
            let error = #expect(throws: Failure.self) { try vocabulary.encode(text) }
            #expect(error?.code == .badData && error?.message.contains(reason) == true, "\(error?.message ?? "")")
        }
        let other = try TemporaryDirectoryOfModel(directory)
        let small = try Vocabulary(directory: other.path, rows: 60)
        #expect(try small.encode("<extra_id_99>") == [50])
        let beyond = #expect(throws: Failure.self) { try small.encode("the <extra_id_0>") }
        #expect(beyond?.message.contains("\"<extra_id_0>\", which is token 149 of this tokenizer") == true)
        #expect(small.digest == (try Vocabulary(modelPath: directory.file("spiece.model")).digest))
    }

    @Test func `contradictions and damaged files are refused in one sentence`() throws {
        let sep = #"{"added_tokens_decoder": {"150": {"content": "<sep>", "special": false}}}"#
        func expect(_ files: [String: String], _ words: String..., rows: Int = 256) throws {
            let other = try TemporaryDirectoryOfModel(directory)
            for (name, text) in files { try other.directory.write(name, text) }
            do throws(Failure) {
                _ = try Vocabulary(directory: other.path, rows: rows)
                Issue.record("accepted: \(files)")
            } catch {
                #expect(error.code == .badData)
                for word in words { #expect(error.message.contains(word), "\(error.message)") }
            }
        }
        try expect(["tokenizer_config.json": sep, "added_tokens.json": #"{"<sep>": 151}"#], "<sep>", "151", "150")
        try expect(["tokenizer_config.json": sep, "added_tokens.json": #"{"<x>": 150}"#], "<x>", "<sep>")
        try expect(["added_tokens.json": #"{"<x>": 149}"#], "<x>", "<extra_id_0>")
        try expect(["added_tokens.json": #"{"<x>": 20}"#], "<x>", "spiece.model has")
        try expect(["added_tokens.json": #"{"\#(try piece(20))": 150}"#], "is piece 20 of spiece.model")
        try expect(["added_tokens.json": #"{"<x>": 256}"#], "<x>", "256", "resize_token_embeddings")
        try expect(["added_tokens.json": #"{"<x>": 99999999999}"#], "<x>")
        try expect(["added_tokens.json": #"{"<x>": 150, "<x>": 151}"#], "added_tokens.json", "occurs twice")
        try expect(["added_tokens.json": #"{"<x>": -1}"#], "<x>")
        try expect(["added_tokens.json": #"{"": 150}"#], "has no text")
        try expect(["added_tokens.json": "[1"], "added_tokens.json", "byte")
        try expect(["tokenizer_config.json": "{\"extra_ids\": 1e3}"], "extra_ids")
        try expect(
            ["tokenizer_config.json": #"{"added_tokens_decoder": {"150": {"content": "x", "regex": true}}}"#], "regex")
        try expect(["tokenizer.json": #"{"added_tokens": [{"content": "<x>"}]}"#], "tokenizer.json", "no id")
        try expect(["tokenizer.json": ""], "tokenizer.json")
        try expect(["special_tokens_map.json": #"{"eos_token": {"normalized": true}}"#], "has no text")
        try expect(
            ["tokenizer_config.json": #"{"eos_token": "<eos>"}"#], "tokenizer_config.json has \"<eos>\" as eos_token",
            "</s>")
        try expect(["special_tokens_map.json": #"{"pad_token": {"content": "<p>"}}"#], "\"<p>\" as pad_token", "<pad>")
    }

    @Test func `decoding drops special tokens and keeps the others`() throws {
        let vocabulary = try open([
            "tokenizer_config.json": """
            {"sep_token": "<sep>", "added_tokens_decoder": {"150": {"content": "<tag>", "special": false},
              "151": {"content": "<sep>", "special": false, "normalized": false}}}
            """
        ])
        let ids = try vocabulary.encode("the cat <tag> sat <sep> on <extra_id_0><tag>mat<unk>")
        #expect(ids.contains(150) && ids.contains(151) && ids.contains(149) && ids.contains(2))
        #expect(try vocabulary.decode([0] + ids + [1, 200]) == "the cat<tag> sat on<tag> mat")
        #expect(try vocabulary.answer([150, 1, 151]) == "<tag>")
        #expect(try vocabulary.decode([149, 2]) == "")
    }

    @Test func `spans are the ids and cover the text`() throws {
        let vocabulary = try open([
            "tokenizer_config.json": """
            {"added_tokens_decoder": {"150": {"content": "{", "special": false},
              "151": {"content": "<sep>", "normalized": false}}}
            """
        ])
        for text in ["", "the cat", "the <sep> cat", " \u{FB01} \u{FF5B}cat {\u{FB01}<sep>漢字 sat "] {
            let bytes = Array(text.utf8)
            let spans = try bytes.withUnsafeBytes { try vocabulary.spans(utf8: $0) }
            #expect(try spans.map(\.id) == vocabulary.encode(text), "\(text)")
            #expect(spans.map(\.end) == spans.map(\.end).sorted() && spans.allSatisfy { $0.end <= bytes.count })
            let tokens = zip([0] + spans.map(\.end), spans).map { start, span in
                (span.id, String(decoding: bytes[start..<span.end], as: UTF8.self))
            }
            for (id, part) in tokens where id == 151 { #expect(part.hasSuffix("<sep>")) }
            for (id, part) in tokens where id == 150 { #expect(part.hasSuffix("{") || part.hasSuffix("\u{FF5B}")) }
            for (id, part) in tokens where id == 2 { #expect(part.contains("漢字")) }
        }
    }

    /// The result of transformers 5.24, without the EOS that it appends.
    @Test(.enabled(if: ReferenceMaterial.directory != nil, "needs T5's own vocabulary, which is not distributed here"))
    func `T5's vocabulary gives the ids of the reference`() throws {
        let place = try TemporaryDirectory()
        try FileManager.default.copyItem(
            atPath: ReferenceMaterial.path("data/t5_vocab/spiece.model"), toPath: place.file("spiece.model"))
        let plain = try Vocabulary(directory: place.path, rows: 32128)
        let full = try Vocabulary(directory: ReferenceMaterial.path("data/t5_vocab"), rows: 32128)
        #expect(plain.digest == full.digest && full.idCount == 32100)
        let goldens: [(String, [Int32])] = [
            ("Hello <extra_id_0>.", [8774, 32099, 3, 5]), ("Hello<extra_id_0>.", [8774, 32099, 3, 5]),
            ("Hello  <extra_id_0>  world", [8774, 32099, 296]), ("<extra_id_0>world", [32099, 296]),
            ("<extra_id_0>  <extra_id_1> x", [32099, 32098, 3, 226]),
            ("Nobody came </s> to the party.", [22009, 764, 1, 12, 8, 1088, 5]), ("a </s>", [3, 9, 1]),
            ("a<unk>b <pad> c", [3, 9, 2, 3, 115, 0, 3, 75]),
            ("<extra_id_100>", [3, 2, 25666, 834, 23, 26, 834, 2915, 3155]), ("  ", []),
            ("a\tb <extra_id_0>\tb", [3, 9, 3, 115, 32099, 3, 115]),
            ("\u{2581}a <extra_id_0> \u{2581}b", [3, 9, 32099, 3, 115]),
            ("\u{FF41}<extra_id_0>\u{FB01}", [3, 9, 32099, 361]),
            ("a\u{A0}<extra_id_1>\u{3000}b", [3, 9, 32098, 3, 115]),
            ("\u{301}<extra_id_1>\u{301}", [3, 2, 32098, 3, 2]),
        ]
        for (text, ids) in goldens {
            #expect(try plain.encode(text) == ids, "\(text)")
            #expect(try full.encode(text) == ids, "\(text)")
        }
        try place.write(
            "tokenizer_config.json",
            """
            {"tokenizer_class": "T5Tokenizer", "added_tokens_decoder": {"32100": {"content": "{", "special": false},
            "32101": {"content": "{x", "special": false}}}
            """)
        let added = try Vocabulary(directory: place.path, rows: 32128)
        for (text, ids) in [
            ("a { b", [3, 9, 32100, 3, 115]), ("a{x}b", [3, 9, 32101, 3, 2, 115]),
            ("a \u{FF5B} b", [3, 9, 32100, 3, 115]), ("a {  x", [3, 9, 32100, 3, 226]),
            ("\u{FF41}{\u{FB01} b", [3, 9, 32100, 361, 3, 115]),
            ("a\u{3000}{ b\t{", [3, 9, 32100, 3, 115, 32100]),
        ] as [(String, [Int32])] {
            #expect(try added.encode(text) == ids, "\(text)")
        }
        #expect(try added.decode(added.encode("a { b")) == "a{ b")
    }
}

/// Another directory with the same `spiece.model`.
private struct TemporaryDirectoryOfModel {
    let directory: TemporaryDirectory
    var path: String { directory.path }

    init(_ other: TemporaryDirectory) throws {
        directory = try TemporaryDirectory()
        try FileManager.default.copyItem(
            atPath: other.file("spiece.model"), toPath: directory.file("spiece.model"))
    }
}
