import Failures
public import Foundation
public import Tensors

/// The complete content of a checkpoint before it is written.
///
/// `CheckpointStore.save` reads the arenas; nobody may write to them at the same time.
public struct CheckpointContents: Sendable {
    /// Completed optimiser steps.
    public var step: Int
    /// Content of `adapter/unolora_config.json`.
    public var adapterConfiguration: Data
    /// Content of `state.json`.
    public var state: Data
    /// Names and shapes of the adapter's tensors.
    public var layout: ParameterLayout
    /// Names and shapes of those of which there are moments, each with the trained rows alone: frozen tensors are left out.
    public var momentLayout: ParameterLayout
    /// Values of the adapter's tensors.
    public var weights: ReadOnlyArena
    /// AdamW's mean of gradients, in the layout of the moments.
    public var firstMoments: ReadOnlyArena
    /// AdamW's mean of squared gradients, in the layout of the moments.
    public var secondMoments: ReadOnlyArena
    /// The running averages of the gradients of some tasks, by the tasks' names, each like the moments; nil if the run keeps none.
    public var averages: [String: ReadOnlyArena]?
    /// The other files of a Hugging Face model, by name, when the adapter's tensors are all tensors of the model: then the
    /// adapter's directory is such a model. Nil for an adapter in its native format.
    public var modelFiles: [String: Data]?
    /// More files of the adapter's directory, by name, that no other file of the checkpoint depends on.
    public var adapterFiles: [String: Data]
    /// Versions of everything that the numbers depend on, such as libraries.
    public var dependsOn: [String: String]

    /// Combines the parts; a `momentLayout` of nil is `layout`.
    public init(
        step: Int, adapterConfiguration: Data, state: Data, layout: ParameterLayout,
        momentLayout: ParameterLayout? = nil, weights: ReadOnlyArena, firstMoments: ReadOnlyArena,
        secondMoments: ReadOnlyArena, averages: [String: ReadOnlyArena]? = nil, modelFiles: [String: Data]? = nil,
        adapterFiles: [String: Data] = [:], dependsOn: [String: String] = [:]
    ) {
        self.step = step
        self.adapterConfiguration = adapterConfiguration
        self.state = state
        self.layout = layout
        self.momentLayout = momentLayout ?? layout
        self.weights = weights
        self.firstMoments = firstMoments
        self.secondMoments = secondMoments
        self.averages = averages
        self.modelFiles = modelFiles
        self.adapterFiles = adapterFiles
        self.dependsOn = dependsOn
    }

    /// Throws `notFinite` for the first tensor with an infinity or NaN, `internal` when the parts do not fit together.
    func check() throws(Failure) {
        guard step >= 0 else { throw Failure(.internal, "a checkpoint cannot be of step \(step); report this") }
        let parts = [
            ("weights", weights, layout), ("first moments", firstMoments, momentLayout),
            ("second moments", secondMoments, momentLayout),
        ]
        for (part, arena, layout) in parts {
            guard arena.count == layout.count else {
                throw Failure(
                    .internal, "\(arena.count) \(part) were given for a layout of \(layout.count); report this")
            }
            if let (entry, index) = arena.firstNonFinite(layout) {
                let value = unsafe arena.base[entry.offset + index]
                throw Failure(
                    .notFinite,
                    "the checkpoint of step \(step) was not written because element \(index) of tensor "
                        + "'\(entry.name)' (\(part)) is \(value); resume from an older "
                        + "checkpoint with a lower learning rate")
            }
        }
    }

    /// Writes all files except the manifest into an existing empty directory, each durably.
    func write(into directory: String) throws(Failure) -> [String: Manifest.Entry] {
        try makeDirectory("\(directory)/adapter")
        var files: [String: Manifest.Entry] = [:]
        func write(_ name: String, _ body: (DurableFile) throws(Failure) -> Void) throws(Failure) {
            let file = try DurableFile(creating: "\(directory)/\(name)", exclusively: true)
            try body(file)
            files[name] = Manifest.Entry(try file.finish())
        }
        try write(CheckpointFile.adapterConfiguration) { (file) throws(Failure) in
            try file.write(Array(adapterConfiguration))
        }
        let more = adapterFiles.merging(modelFiles ?? [:]) { $1 }
        for (name, content) in more.sorted(by: { $0.key < $1.key }) {
            try write("adapter/" + name) { (file) throws(Failure) in try file.write(Array(content)) }
        }
        try write(modelFiles == nil ? CheckpointFile.adapterModel : CheckpointFile.wholeModel) {
            (file) throws(Failure) in
            var writer = SafetensorsWriter(metadata: ["format": "pt"])
            try writer.add(layout, weights)
            try writer.write(to: file)
        }
        try write(CheckpointFile.optimizer) { (file) throws(Failure) in
            var writer = SafetensorsWriter()
            try writer.add(momentLayout, firstMoments, prefix: CheckpointFile.firstMomentPrefix)
            try writer.add(momentLayout, secondMoments, prefix: CheckpointFile.secondMomentPrefix)
            try writer.write(to: file)
        }
        if let averages {
            try write(CheckpointFile.averages) { (file) throws(Failure) in
                var writer = SafetensorsWriter()
                for (task, average) in averages.sorted(by: { $0.key < $1.key }) {
                    var layout = ParameterLayout()
                    layout.append(task, [average.count])
                    try writer.add(layout, average)
                }
                try writer.write(to: file)
            }
        }
        try write(CheckpointFile.state) { (file) throws(Failure) in try file.write(Array(state)) }
        try DurableFile.synchronize(directory: "\(directory)/adapter")
        return files
    }
}
