import Foundation
package import Runs
import Tensors
package import Training

/// The `README.md` of an exported directory: a model card with the front matter that the hub reads.
package struct ModelCard {
    /// What the directory holds.
    let format: ExportFormat
    /// The run's method.
    let method: String
    /// The base.
    let base: BaseName
    /// The digest of the base's shape and weights.
    let digest: String
    /// The tasks of this directory.
    let tasks: [CardTask]
    /// Steps of the training.
    let step: Int
    /// Sentences about what is exact and what is not.
    let notes: [String]
    /// Recorded evaluations of the run's own adapter.
    let records: [EvaluationRecord]
    /// The split of `changes`.
    let split: String
    /// What was measured.
    let changes: [MeasuredChange]
    /// Version and commit of the program.
    let program: String

    /// Creates a card.
    package init(
        format: ExportFormat, method: String, base: BaseName, digest: String, tasks: [CardTask], step: Int,
        notes: [String], records: [EvaluationRecord], split: String, changes: [MeasuredChange], program: String
    ) {
        self.format = format
        self.method = method
        self.base = base
        self.digest = digest
        self.tasks = tasks
        self.step = step
        self.notes = notes
        self.records = records
        self.split = split
        self.changes = changes
        self.program = program
    }

    /// The text of the file.
    package var text: String {
        ([frontMatter, "# \(title)", introduction] + tasksPart + [figuresPart, changesPart, loading, exactness, origin])
            .filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
    }

    private var library: String {
        switch format {
        case .peft: "peft"
        case .merged: "transformers"
        case .native: "unolora-dist"
        }
    }

    private var frontMatter: String {
        var lines = ["---"]
        if let name = base.published {
            lines += [
                "base_model: \(Markdown.quoted(name))",
                "base_model_relation: \(format == .merged ? "finetune" : "adapter")",
            ]
        } else {
            lines.append("# base_model: the name of the base on the hub; export with --base-name sets it")
        }
        lines += ["library_name: \(library)", "tags:"]
        let tags = format == .merged ? ["t5", "text2text-generation"] : ["lora", "t5", "text2text-generation"]
        lines += (tags + ["unolora"]).map { "- \($0)" }
        return (lines + ["---"]).joined(separator: "\n")
    }

    private var names: String { tasks.map(\.name).joined(separator: ", ") }

    private var title: String {
        switch format {
        case .peft: "LoRA adapter for \(names)"
        case .merged: "T5 for \(names)"
        case .native: "Adapter of method \(method) for \(names)"
        }
    }

    private var introduction: String {
        let what =
            switch format {
            case .peft: "A LoRA adapter in the format of PEFT"
            case .merged: "A T5 with its adapter added to the weights, a model of transformers"
            case .native: "An adapter in the native format of unolora-dist"
            }
        return "\(what), trained with unolora-dist, method `\(method)`, \(step) steps"
            + (base.published.map { ", on \(Markdown.code($0))." } ?? ".")
    }

    private var tasksPart: [String] {
        ["## Tasks"]
            + tasks.map { task in
                let answers = task.answers.map { "  - \($0)" }.joined(separator: "\n")
                return """
                    - **\(task.name)**
                      - text: \(Markdown.code(task.template))
                      - for example: \(Markdown.code(task.example))
                      - answers, of at most \(task.budget) tokens:
                      \(answers.replacing("\n", with: "\n  "))
                    """
            }
    }

    private var figuresPart: String {
        let known = Set(tasks.map(\.name))
        let rows = records.flatMap { record in
            record.tasks.filter { known.contains($0.key) }.sorted { $0.key < $1.key }.flatMap { name, task in
                task.figures.sorted { $0.key < $1.key }.map { figure, value in
                    "| \(name) | \(record.split) | \(task.examples) | \(figure)"
                        + (task.undefined.contains(figure) ? " (undefined)" : "")
                        + " | \(MeasuredChange.percent(value)) |"
                }
            }
        }
        guard !rows.isEmpty else { return "" }
        let table = ["| task | split | examples | figure | value |", "| --- | --- | ---: | --- | ---: |"] + rows
        return """
            ## Figures

            Times 100, of the run's own adapter at step \(step)\(
                records.contains { $0.maxExamples != nil } ? "; some are of a random part of the split" : ""):

            \(table.joined(separator: "\n"))
            """
    }

    private var changesPart: String {
        guard !changes.isEmpty else { return "" }
        return """
            ## Measured: the run's own adapter, and what is here

            On all examples of the \(split) split, figures times 100, at step \(step):

            \(changes.map { "- \($0.text)" }.joined(separator: "\n"))
            """
    }

    private var loading: String {
        let base = Markdown.quoted(base.published ?? "PATH OF THE BASE")
        let example = Markdown.quoted(tasks.first?.example ?? "")
        let code =
            switch format {
            case .peft:
                """
                import peft, transformers
                base = transformers.AutoModelForSeq2SeqLM.from_pretrained(\(base))
                model = peft.PeftModel.from_pretrained(base, "THIS DIRECTORY").eval()
                """
            case .merged:
                """
                import transformers
                model = transformers.AutoModelForSeq2SeqLM.from_pretrained("THIS DIRECTORY").eval()
                tokenizer = transformers.AutoTokenizer.from_pretrained("THIS DIRECTORY")
                """
            case .native:
                """
                import safetensors
                file = safetensors.safe_open("unolora_adapter.safetensors", framework="numpy")
                tensors, configuration = {n: file.get_tensor(n) for n in file.keys()}, file.metadata()["configuration"]
                """
            }
        let use =
            switch format {
            case .native:
                "A new run begins with it: `unolora-dist train --config run.yaml --init-from unolora_adapter.safetensors`."
            case .peft, .merged:
                """
                An answer:

                ```python
                \(format == .peft ? "tokenizer = transformers.AutoTokenizer.from_pretrained(\(base))\n" : "")inputs = tokenizer(\(
                    example), return_tensors="pt")
                answer = model.generate(**inputs, do_sample=False, num_beams=1, max_new_tokens=\(tasks.first?.budget ?? 4))
                print(tokenizer.decode(answer[0], skip_special_tokens=True))
                ```
                """
            }
        return """
            ## How to load it

            ```python
            \(code)
            ```

            \(use)
            """
    }

    private var exactness: String {
        notes.isEmpty ? "" : "## What is exact\n\n" + notes.map { "- \($0)" }.joined(separator: "\n")
    }

    private var origin: String {
        """
        ## Origin

        Written by unolora-dist \(program). Digest of the base (XXH3-128 of its shape and weights, as `state.json` of the run has \
        it): `\(digest)`.
        """
    }
}
