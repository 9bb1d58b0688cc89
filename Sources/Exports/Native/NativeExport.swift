package import Adapters
package import Failures
import Foundation
package import Tasks
package import Tensors
package import Training

/// The native format: everything of the adapter in one file that `train --init-from` reads.
package enum NativeExport {
    /// A row of the table of tasks.
    private struct Row: Encodable {
        var name: String
        var fields: [String]
        var template: String
        /// Answer texts in class order; nil for grades and free text.
        var answers: [String]?
        /// The files' names of these classes.
        var labels: [String]?
        var minimum: Double?
        var maximum: Double?
        var step: Double?
        /// Whether answers are free text; nil for other tasks.
        var freeText: Bool?
        var metrics: [String]
        var positive: String?

        init(_ task: TaskDefinition) {
            (name, fields, template) = (task.name, task.fields.map(\.name), task.template.pattern)
            metrics = task.metrics.map(\.rawValue)
            positive = task.positiveClass?.label
            switch task.answers {
            case .classes(let texts): (answers, labels) = (texts, task.labelNames)
            case .grades(let minimum, let maximum, let step, _):
                (self.minimum, self.maximum, self.step) = (minimum, maximum, step)
            case .texts: freeText = true
            }
        }
    }

    /// Writes the file into a directory.
    package static func write(
        _ configuration: AdapterConfiguration, _ layout: ParameterLayout, _ weights: ReadOnlyArena,
        tasks: [TaskDefinition], backbone: String, description: AdapterDescription? = nil, program: String, step: Int,
        into directory: String
    ) throws(Failure) {
        try NativeAdapter.write(
            configuration, layout, weights, tasks: StableJSON.line(tasks.map(Row.init), "the table of tasks"),
            backbone: backbone, description: description, program: program, step: step,
            to: "\(directory)/\(NativeAdapter.fileName)")
    }
}
