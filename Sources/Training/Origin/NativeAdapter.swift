package import Adapters
package import Failures
package import Foundation
package import Tensors

/// A native adapter in one file: safetensors with the tensors of the method, as in a checkpoint, and texts beside them.
package struct NativeAdapter {
    /// The name of the file in an export's directory.
    package static let fileName = "unolora_adapter.safetensors"
    /// The version of the file's form, under the key by which the file is recognised.
    private static let form = "1"

    private enum Key {
        static let form = "unolora_adapter"
        static let configuration = "configuration"
        static let backbone = "backbone"
        static let tasks = "tasks"
        static let program = "program"
        static let step = "step"
        static let description = "description"
    }

    /// The adapter's configuration.
    package let configuration: AdapterConfiguration
    /// The digest of the backbone on which it was trained.
    package let backbone: String
    /// What is needed to answer without the run; nil in files of earlier versions.
    let description: AdapterDescription?
    /// The digest of the file, texts included.
    let digest: ContentDigest
    /// Number of training steps.
    let step: Int
    /// The file with the tensors.
    let file: SafetensorsFile

    /// Reads a file. Throws `badData` for one that is none of these.
    package init(path: String) throws(Failure) {
        file = try SafetensorsFile(path: path)
        guard let form = file.metadata[Key.form] else {
            throw Failure(
                .badData,
                "\(path.shown) is no adapter that this program exported: its metadata has no \(Key.form); give the directory "
                    + "of an adapter, or a file that export --format native wrote")
        }
        guard form == Self.form else {
            throw Failure(
                .badData,
                "\(path.shown) has form \(form.shown) of exported adapters, and this version reads \(Self.form); export it "
                    + "with this version")
        }
        guard let text = file.metadata[Key.configuration], let backbone = file.metadata[Key.backbone],
            ContentDigest(hexadecimal: backbone) != nil
        else {
            throw Failure(
                .badData,
                "\(path.shown): the metadata lacks the configuration or the digest of the base; export it again")
        }
        configuration = try AdapterConfiguration(Data(text.utf8), path: path)
        self.backbone = backbone
        step = file.metadata[Key.step].flatMap { Int($0) } ?? 0
        description = try file.metadata[Key.description].map { text throws(Failure) in
            try AdapterDescription(Data(text.utf8), path: path)
        }
        digest = try ContentDigest.of(file: path)
    }

    /// Writes a file and waits until it is on the disk.
    ///
    /// - Parameters:
    ///   - tasks: the table of tasks as JSON, for readers of the file; nothing is computed with it.
    ///   - backbone: the digest of the backbone.
    package static func write(
        _ configuration: AdapterConfiguration, _ layout: ParameterLayout, _ weights: ReadOnlyArena, tasks: Data,
        backbone: String, description: AdapterDescription?, program: String, step: Int, to path: String
    ) throws(Failure) {
        let text = try StableJSON.line(configuration, "the adapter's configuration")
        var metadata = [
            Key.form: form, Key.configuration: String(decoding: text, as: UTF8.self), Key.backbone: backbone,
            Key.tasks: String(decoding: tasks, as: UTF8.self), Key.program: program, Key.step: "\(step)",
        ]
        if let description { metadata[Key.description] = String(decoding: try description.json(), as: UTF8.self) }
        var writer = SafetensorsWriter(metadata: metadata)
        try writer.add(layout, weights)
        try writer.write(to: path)
    }
}
