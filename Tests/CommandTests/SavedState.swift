import Foundation
import Tensors

/// Changes `state.json` of a checkpoint, and its manifest accordingly, to what a checkpoint of an earlier version, or of
/// another course of the same run, would contain.
func rewriteState(of checkpoint: String, _ change: (inout [String: Any]) -> Void) throws {
    func object(_ name: String) throws -> [String: Any] {
        let data = try Data(contentsOf: URL(fileURLWithPath: checkpoint + "/" + name))
        return try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    }
    func write(_ object: [String: Any], _ name: String) throws {
        try JSONSerialization.data(withJSONObject: object).write(to: URL(fileURLWithPath: checkpoint + "/" + name))
    }
    var state = try object("state.json")
    change(&state)
    try write(state, "state.json")
    var manifest = try object("MANIFEST.json")
    var files = manifest["files"] as? [String: [String: Any]] ?? [:]
    let size = try Data(contentsOf: URL(fileURLWithPath: checkpoint + "/state.json")).count
    files["state.json"] = [
        "size": size, "digest": try ContentDigest.of(file: checkpoint + "/state.json").hexadecimal,
    ]
    manifest["files"] = files
    func counted(_ text: String) -> String { "\(text.utf8.count):\(text)" }
    var text = "format 1 step \(manifest["step"] ?? 0)\n"
    for (name, entry) in files.sorted(by: { $0.key < $1.key }) {
        text += "file \(counted(name)) \(entry["size"] ?? 0) \(entry["digest"] ?? "")\n"
    }
    for (name, version) in (manifest["dependsOn"] as? [String: String] ?? [:]).sorted(by: { $0.key < $1.key }) {
        text += "dependsOn \(counted(name)) \(counted(version))\n"
    }
    manifest["digest"] = ContentDigest(of: text).hexadecimal
    try write(manifest, "MANIFEST.json")
}

/// Changes the identity of the run in a state.
func rewriteIdentity(of checkpoint: String, _ change: (inout [String: Any]) -> Void) throws {
    try rewriteState(of: checkpoint) { state in
        var identity = state["identity"] as? [String: Any] ?? [:]
        change(&identity)
        state["identity"] = identity
    }
}
