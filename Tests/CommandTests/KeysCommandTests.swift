import Testing

extension ProgramTests {
    /// `keys`.
    @Suite struct KeysCommandTests {
        @Test func `all keys, those of a section, or one key`() throws {
            let all = try Program.run(["keys"])
            #expect(all.code == 0 && all.error.isEmpty, "\(all)")
            let section = try Program.run(["keys", "lora"])
            #expect(section.code == 0 && section.error.isEmpty, "\(section)")
            let key = try Program.run(["keys", "lora.rank"])
            #expect(key.code == 0 && key.error.isEmpty, "\(key)")
            let entry = "  lora.rank  (default "
            #expect(key.output.hasPrefix(entry) && !key.output.contains("lora.scale"), "\(key.output)")
            #expect(
                section.output.hasPrefix("lora: ") && section.output.contains(key.output.dropLast()),
                "\(section.output)")
            #expect(!section.output.contains("batch.global") && all.output.contains(section.output))
            #expect(all.output.contains("  batch.global  ("), "\(all.output)")
        }

        @Test(arguments: [("lora.rnk", "lora.rank"), ("lroa", "lora"), ("batch.globl", "batch.global")])
        func `a word that is no key is refused with the nearest one`(word: String, nearest: String) throws {
            let result = try Program.run(["keys", word])
            #expect(result.code == 64 && result.output.isEmpty, "\(result)")
            let sentence = "unolora-dist: \(word) is neither a key nor a section; did you mean \(nearest)?\n"
            #expect(result.error == sentence, "\(result.error)")
        }

        @Test func `the help of train says where the keys are`() throws {
            let help = try Program.run(["train", "--help"]).output.replacing(#/\s+/#, with: " ")
            #expect(help.contains("`unolora-dist keys` prints all keys, `unolora-dist keys lora` those of a section"))
        }
    }
}
