import ArgumentParser
import Commands
import Failures
import MPI

struct ExportArguments: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Takes the adapter out of a run: for PEFT, merged into the model, or in one native file.",
        discussion: """
            peft: adapter_config.json and adapter_model.safetensors, which the PEFT library loads. merged: a model \
            directory of transformers with the update in its weights. native: one safetensors file, which train \
            --init-from reads. Methods with an adapter per task (lora_per_task, and unolora_star, whose scales become \
            their means over the task's training texts) give DIR/TASK for each task.

            Each directory has a model card, README.md. For merged and for unolora_star, the change of the figures on \
            the validation split is measured, printed and written there. An unfinished export leaves nothing behind.
            """)

    @Argument(help: ArgumentHelp("Run directory.", valueName: "run"), completion: .directory, transform: filled)
    var directory: String

    @Option(help: "\(ExportCommand.formats.joined(separator: ", ")).")
    var format: String

    @Option(help: ArgumentHelp("Directory to make.", valueName: "directory"), completion: .directory, transform: filled)
    var out: String

    @Option(help: "Only this task, of a method with an adapter per task.", transform: filled)
    var task: String?

    @Option(help: "best (the default), last, a step or a checkpoint directory.", transform: filled)
    var checkpoint = "best"

    @Option(
        help: ArgumentHelp(
            "The name under which others find the base, such as google-t5/t5-base; default: that in its config.json or in the "
                + "hub's cache, else its path.", valueName: "name"), transform: filled)
    var baseName: String?

    @Flag(
        name: .customLong("no-measure"),
        help: ArgumentHelp(
            "Does not measure the change of the figures; for runs whose data is gone. (Of unolora_star, peft and merged need "
                + "the training texts all the same, for its mean scales; native does not.)"))
    var skipsMeasuring = false

    @OptionGroup var place: ModelPlace

    @OptionGroup var changes: Changes

    func validate() throws {
        guard ExportCommand.formats.contains(format) else {
            throw ValidationError("--format \(format) is none of \(ExportCommand.formats.joined(separator: ", "))")
        }
    }

    func run() {
        Job.run("export") { mpi throws(Failure) in
            let request = ExportCommand.Request(
                format: format, task: task, checkpoint: checkpoint, out: out, baseName: baseName,
                measures: !skipsMeasuring, model: place.model, allowsChanges: changes.areAllowed)
            return try ExportCommand.run(directory, request, world: mpi.world)
        }
    }
}
