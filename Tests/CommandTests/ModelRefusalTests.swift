import Foundation
import TestSupport
import Testing

/// The parts of a safetensors file, which can be put together incorrectly.
struct RawSafetensors {
    var header: [String: [String: Any]]
    var data: Data
    private let path: String

    init(_ path: String) throws {
        self.path = path
        let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        let length = Int(bytes.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
        header = try JSONSerialization.jsonObject(with: bytes[8..<8 + length]) as? [String: [String: Any]] ?? [:]
        data = Data(bytes[(8 + length)...])
    }

    /// Overwrites the file; `edit` changes the header's text, and `length` is the length that the file states for it.
    func write(length: Int? = nil, edit: (String) -> String = { $0 }) throws {
        let json = try JSONSerialization.data(withJSONObject: header, options: [.sortedKeys, .withoutEscapingSlashes])
        let text = Data(edit(String(decoding: json, as: UTF8.self)).utf8)
        var bytes = Data()
        withUnsafeBytes(of: UInt64(length ?? text.count).littleEndian) { bytes.append(contentsOf: $0) }
        try (bytes + text + data).write(to: URL(fileURLWithPath: path))
    }

    func offsets(_ name: String) -> [Int] { header[name]?["data_offsets"] as? [Int] ?? [] }
}

extension ProgramTests {
    @Suite struct ModelRefusalTests {
        private static let project = Swift.Result { try TinyProject() }
        private static let weights = "model/model.safetensors"
        private static let tensor = "encoder.block.0.layer.0.SelfAttention.q.weight"

        private static func tensors(
            _ name: String, says: [String], _ damage: @escaping @Sendable (inout RawSafetensors) throws -> Void
        ) -> Refusal {
            Refusal(
                name: name,
                damage: { project in
                    var file = try RawSafetensors(project.file(weights))
                    try damage(&file)
                }, code: 65, says: says)
        }

        private static let corrupt: [Refusal] = [
            tensors("a missing tensor", says: ["model", "tensor \(tensor) is missing"]) { file in
                // Another tensor gets its bytes, so that the file itself stays valid.
                file.header["encoder.block.9.layer.0.SelfAttention.q.weight"] = file.header.removeValue(forKey: tensor)
                try file.write()
            },
            tensors("an extra tensor", says: ["model", "tensor extra does not belong"]) { file in
                file.header["extra"] = [
                    "dtype": "F32", "shape": [2], "data_offsets": [file.data.count, file.data.count + 8],
                ]
                file.data.append(Data(count: 8))
                try file.write()
            },
            tensors(
                "a misshapen tensor", says: [weights, tensor, "has shape [16, 64]", "[32, 32]", "take both from"]
            ) { file in
                file.header[tensor]?["shape"] = [16, 64]
                try file.write()
            },
            tensors("a header length beyond the file", says: [weights, "states a header of 50000000 bytes"]) { file in
                try file.write(length: 50_000_000)
            },
            tensors("an absurd header length", says: [weights, "states a header of 4611686018427387904 bytes"]) {
                file in
                try file.write(length: 1 << 62)
            },
            tensors("a header length too short", says: [weights, "malformed safetensors header", "again"]) { file in
                try file.write(length: 100)
            },
            tensors("overlapping tensors", says: [weights, "overlapping tensors", "again"]) { file in
                let offsets = file.offsets(tensor)
                file.header[tensor]?["data_offsets"] = [offsets[0] - 64, offsets[1] - 64]
                try file.write()
            },
            tensors("offsets beyond the file", says: [weights, "cut short", "again"]) { file in
                file.data = file.data.dropLast(4096)
                try file.write()
            },
            tensors("bytes after the last tensor", says: [weights, "again"]) { file in
                file.data.append(Data(count: 4096))
                try file.write()
            },
            tensors("offsets that do not fit the shape", says: [weights, "malformed safetensors header", tensor]) {
                file in
                let offsets = file.offsets(tensor)
                file.header[tensor]?["data_offsets"] = [offsets[0], offsets[1] - 4]
                try file.write()
            },
            tensors("a type that weights do not have", says: [weights, tensor, "I32", "F32, F16 and BF16"]) { file in
                file.header[tensor]?["dtype"] = "I32"
                try file.write()
            },
            tensors(
                "a weight that is not finite",
                says: [weights, "tensor \(tensor) holds numbers that are not finite", "again"]
            ) { file in
                let place = file.data.startIndex + file.offsets(tensor)[1]
                file.data.replaceSubrange(place - 4..<place, with: [0, 0, 0x80, 0xFF])
                try file.write()
            },
            tensors("a type that there is not", says: [weights, "malformed safetensors header", "F33"]) { file in
                file.header[tensor]?["dtype"] = "F33"
                try file.write()
            },
            tensors("two tensors of one name", says: [weights, "two entries named '\(tensor)'"]) { file in
                try file.write { $0.replacing(tensor.replacing(".q.", with: ".k."), with: tensor) }
            },
        ]

        private static let others: [Refusal] = [
            Refusal(
                name: "a file cut in its header",
                damage: { project in
                    let url = URL(fileURLWithPath: project.file(weights))
                    try Data(contentsOf: url).prefix(500).write(to: url)
                }, code: 65, says: [weights, "cut short", "again"]),
            Refusal(
                name: "an empty file of weights", damage: { try $0.write(weights, "") }, code: 65,
                says: [weights, "0 bytes", "too short"]),
            Refusal(
                name: "a pickle in place of weights",
                damage: { try $0.write(weights, "PK\u{3}\u{4}" + "archive/data.pkl") },
                code: 65, says: [weights, "pickled PyTorch file", "convert it"]),
            Refusal(
                name: "no weights", damage: { try FileManager.default.removeItem(atPath: $0.file(weights)) }, code: 66,
                says: ["model", "model.safetensors"]),
            Refusal(
                name: "no model", damage: { try FileManager.default.removeItem(atPath: $0.file("model")) }, code: 66,
                says: ["model", "config.json"]),
            Refusal(
                name: "a config.json of another model",
                damage: { try $0.replace("\"t5\"", by: "\"bert\"", in: "model/config.json") }, code: 65,
                says: ["model/config.json", "bert", "t5"]),
            Refusal(
                name: "a config.json of another kind of model",
                damage: { try $0.write("model/config.json", #"{"model_type": "llama", "hidden_size": 32}"#) }, code: 65,
                says: ["model/config.json: model_type is llama, but only t5 and mt5 models can be used"]),
            Refusal(
                name: "a vocabulary larger than the embedding",
                damage: { project in
                    try project.replace("160", by: "140", in: "model/config.json")
                }, code: 65, says: ["model/spiece.model has 150 pieces", "140 rows", "take both from the same model"]),
            Refusal(
                name: "a model that ends texts with another id than the vocabulary",
                damage: { try $0.replace("\"eos_token_id\" : 1", by: "\"eos_token_id\" : 2", in: "model/config.json") },
                code: 65,
                says: [
                    "model/config.json has eos_token_id 2", "model/spiece.model has 1", "take both from the same model",
                ]),
            Refusal(
                name: "a model that pads with another id than the vocabulary",
                damage: { try $0.replace("\"pad_token_id\" : 0", by: "\"pad_token_id\" : 3", in: "model/config.json") },
                code: 65, says: ["model/config.json has pad_token_id 3", "model/spiece.model has 0"]),
            Refusal(
                name: "no vocabulary",
                damage: { try FileManager.default.removeItem(atPath: $0.file("model/spiece.model")) }, code: 66,
                says: ["model/spiece.model is missing", "belongs beside its weights"]),
            Refusal(
                name: "a vocabulary that is none", damage: { try $0.write("model/spiece.model", "nothing") }, code: 65,
                says: ["model/spiece.model", "not a whole SentencePiece model", "again"]),
        ]

        /// The user did not make the file, so the message must not ask the user to repair it.
        @Test func `a damaged file of the embedded example is told as the program's own`() throws {
            let directory = try TemporaryDirectory()
            try directory.write("run/example/run.yaml", "model: model\nmethod: unolora\nnonsense: 1\n")
            let result = try Program.run(["train", "--out", "run"], directory: directory.path)
            #expect(result.code == 78 && result.sentences.count == 1, "\(result)")
            #expect(result.error.contains("key nonsense is unknown"), "\(result.error)")
            #expect(result.error.contains("remove run/example and start again"), "\(result.error)")
            try directory.write("run/example/run.yaml", "model: model\n")
            let users = try Program.run(["train", "--out", "run", "--set", "lora.rnk=2"], directory: directory.path)
            #expect(users.code == 78 && !users.error.contains("start again"), "\(users.error)")
        }

        @Test(arguments: corrupt + others)
        func `a malformed model is refused in one sentence`(refusal: Refusal) throws {
            try refusal.check(Self.project.get())
        }

        @Test func `ranks say once what is wrong for all`() throws {
            var refusal = Self.corrupt[0]
            refusal.ranks = 3
            try refusal.check(Self.project.get())
        }
    }
}
