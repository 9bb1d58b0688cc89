import Foundation
import Tensors
import TestSupport
import Testing

extension ProgramTests.AnalyzeCommandTests {
    static let quick = [
        "--set", "train.steps=6", "--set", "eval.every=null", "--set", "eval.atEnd=false", "--set",
        "checkpoint.every=3",
    ]
    static let tasks = ["colour", "pair", "grade"]

    static func train(_ project: TinyProject, _ run: String, _ settings: [String] = []) throws {
        let result = try Program.run(
            ["train", "--config", project.configuration, "--out", project.file(run)] + quick + settings)
        #expect(result.code == 0, "\(result.error)")
    }

    static func analyze(
        _ project: TinyProject, _ runs: [String], out: String = "analysis", checkpoint: String = "last"
    ) throws -> Program.Result {
        try Program.run(
            ["analyze"] + runs.map(project.file) + ["--out", project.file(out), "--checkpoint", checkpoint])
    }

    static func report(_ project: TinyProject, _ runs: [String], out: String = "analysis") throws
        -> ReadAnalysis
    {
        let result = try analyze(project, runs, out: out)
        #expect(result.code == 0, "\(result.error)")
        return try ReadAnalysis(project.file(out))
    }

    /// Makes the manifest of a checkpoint list the adapter's weights as they now are.
    static func accept(_ weights: String, in checkpoint: String) throws {
        let manifest = URL(fileURLWithPath: checkpoint + "/MANIFEST.json")
        var content = try #require(
            try JSONSerialization.jsonObject(with: Data(contentsOf: manifest)) as? [String: Any])
        var files = try #require(content["files"] as? [String: [String: Any]])
        files["adapter/unolora_model.safetensors"]?["digest"] = try ContentDigest.of(file: weights).hexadecimal
        content["files"] = files
        let versions = try #require(content["dependsOn"] as? [String: String])
        func counted(_ text: String) -> String { "\(text.utf8.count):\(text)" }
        var text = "format 1 step \(content["step"] as? Int ?? 0)\n"
        for (name, entry) in files.sorted(by: { $0.key < $1.key }) {
            text += "file \(counted(name)) \(entry["size"] as? Int ?? 0) \(entry["digest"] as? String ?? "")\n"
        }
        for (name, version) in versions.sorted(by: { $0.key < $1.key }) {
            text += "dependsOn \(counted(name)) \(counted(version))\n"
        }
        content["digest"] = ContentDigest(of: text).hexadecimal
        try JSONSerialization.data(withJSONObject: content).write(to: manifest)
    }

    static func norm(_ file: SafetensorsFile, _ tensor: String) throws -> Double {
        try file.readFloats(named: tensor).reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
    }
}
