import Adapters
import Backbone
import Backbones
import Configuration
import Exports
import Failures
import Foundation
import Runs
import Tasks
import Tensors
import Training

extension ExportSource {
    /// Writes one directory with its model card. Returns lines for the user.
    func write(
        _ part: Part, _ format: ExportFormat, into directory: String, measures: Bool
    ) throws(Failure) -> [String] {
        var (lines, notes, changes): ([String], [String], [MeasuredChange]) = ([], exactness(format), part.changes)
        switch format {
        case .native:
            try NativeExport.write(
                adapter, method.parameters, weights.readOnly, tasks: definitions,
                backbone: checkpoint.identity.backbone, description: description, program: ProgramVersion.current,
                step: checkpoint.step, into: directory)
        case .peft:
            guard let adapter = part.adapter else { throw missing }
            try PEFTDirectory.write(adapter, base: base.text, into: directory)
        case .merged:
            let cost = try merged(part).write(into: directory)
            // Nothing is left that could not be loaded.
            _ = try Backbones.check(directory: directory)
            lines.append((part.task.map { "\($0): " } ?? "") + cost.text)
            notes.append("Measured: \(cost.text).")
            if !evaluations.isEmpty {
                changes = try self.changes(
                    part,
                    computedBy: configuration.plainModel(
                        directory: directory, maximumLength: maximumLength, tasks: definitions.count))
            }
        }
        let isMeasurable = format == .merged || (format == .peft && adapter.method == "unolora_star")
        if isMeasurable { notes += unmeasured(part, changes, measures: measures) }
        if configuration.products != .float32, format != .native {
            notes.append(
                "The run computes products with frozen weights in \(configuration.products.rawValue) (model.products), and so were all "
                    + "figures here computed; other libraries compute in the type in which they load the weights.")
        }
        lines += changes.map(\.text)
        let card = ModelCard(
            format: format, method: adapter.method, base: base, digest: checkpoint.identity.backbone,
            tasks: cards.filter { part.task == nil || $0.name == part.task }, step: checkpoint.step, notes: notes,
            records: checkpoint.isOwn ? RecordedFigures.of(run, step: checkpoint.step) : [], split: "validation",
            changes: changes, program: ProgramVersion.current + (ProgramVersion.commit.map { ", commit \($0)" } ?? ""))
        try DurableFile.write(Data(card.text.utf8), to: directory + "/README.md")
        return lines
    }

    private func merged(_ part: Part) throws(Failure) -> MergedModel {
        let change: any WeightChange =
            if let adapter = part.adapter { LowRankChange(adapter) } else {
                WholeChange(method.parameters, weights.readOnly, aliases: aliases)
            }
        return MergedModel(base: configuration.model, change: change)
    }

    private var missing: Failure { Failure(.internal, "the adapter to export is not there; report this") }

    /// What a reader of the card must know about the numbers.
    private func exactness(_ format: ExportFormat) -> [String] {
        guard format != .native else { return ["The tensors have the bits of the checkpoint."] }
        guard let options = (method as? LowRankMethod)?.options else {
            return ["The weights are the trained ones, rounded once to the types of the base's files."]
        }
        var notes: [String] = []
        let isFolded = options.rankA != options.rankB
        if options.method == .unoloraStar {
            notes.append(
                "The run's own adapter scales each low-rank dimension for each text; here the mean scales over the task's "
                    + "training texts are part of B, so that answers may differ.")
        }
        if isFolded {
            notes.append(
                "A has rank \(options.rankA) and B rank \(options.rankB) in the run, with a core C between them; here C is part "
                    + "of \(options.rankA > options.rankB ? "B" : "A"), with products in double precision, rounded once."
            )
        }
        if format == .peft, notes.isEmpty { notes.append("A and B have the bits of the checkpoint.") }
        if format == .merged {
            notes.append(
                "Sums of the weights and their updates are computed in double precision and rounded once to the types of the "
                    + "base's files; all other weights have the base's bits.")
        }
        return notes
    }

    /// Why something was not measured.
    private func unmeasured(_ part: Part, _ changes: [MeasuredChange], measures: Bool) -> [String] {
        guard measures else { return ["The change of the figures was not measured (--no-measure)."] }
        let names = part.task.map { [$0] } ?? definitions.map(\.name)
        let absent = names.filter { name in !changes.contains { $0.task == name } }
        return absent.isEmpty
            ? []
            : [
                "The change of the figures was not measured for \(absent.joined(separator: ", ")): there is no validation split."
            ]
    }
}
