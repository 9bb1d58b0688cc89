import Foundation

/// The reference page of all keys, generated from the table.
public enum ConfigurationReference {
    /// The required content of `docs/configuration.md`.
    public static var markdown: String {
        var text = """
            # Configuration

            A configuration is one YAML file. Every key has a default except `model`, and `data.glue` or `data.superglue` if
            tasks of GLUE or SuperGLUE are used. The preset comes first, then the file, then each `--set key=value` in order. Unknown keys, wrong types and
            impossible combinations are refused with file, line and key. Keys marked * decide the bits of the result: a
            resumed run must have the same values. Relative paths are relative to the file's directory, those of `--set` to
            the working directory. `config.yaml` in a run directory has such paths relative to itself, so that the run can be moved
            together with its model and data. `labels.style` is another name of `data.labelStyle`, and `model` may be a mapping of
            `path`, `storage` and `products`. \(formerKeys) This page is made from the program's own table of keys.

            """
        for (section, purpose) in KeyTable.sections {
            text += "\n## \(section.isEmpty ? purpose : "`\(section)`: \(purpose)")\n\n"
            text += "| key | default | allowed | purpose |\n|---|---|---|---|\n"
            for key in KeyTable.keys where RunConfiguration.section(key.path) == section {
                let standard = key.standard.map { "`\($0)`" } ?? "none"
                text += "| `\(key.path)`\(key.decidesResult ? " *" : "") | \(standard) | \(key.kind.allowed) | "
                text += "\(key.purpose) |\n"
            }
        }
        text += customTasks
        text += "\n## Presets\n\n`paper` is the defaults above. The others change:\n"
        for name in ["hyperformer", "repo"] {
            text += "\n`\(name)`:\n\n```yaml\n\(Presets.yaml(name))\n```\n"
        }
        return text
    }

    /// The text about keys of earlier versions.
    private static var formerKeys: String {
        KeyTable.formerKeys.map { former in
            let names = former.successors.map { "`\($0)`" }.joined(separator: " and ")
            let values = former.meanings.map { "`\($0.value)`" }.joined(separator: ", ")
            return
                "`\(former.path)` (\(values)) of earlier versions is still read, as \(names), but not together with them."
        }.joined(separator: " ")
    }

    /// The part of the page about the user's own tasks.
    static let customTasks = """

        ## Custom tasks

        An item of `tasks` that is a mapping describes a task of your own:

        ```yaml
        tasks:
          - rte
          - name: cb
            train: CB/train.jsonl
            validation: CB/val.jsonl
            fields: [premise, hypothesis]
            template: "cb premise: {premise} hypothesis: {hypothesis}"
            labels: {entailment: entailment, contradiction: contradiction, neutral: neutral}
            metrics: [accuracy]
        ```

        | key | default | meaning |
        |---|---|---|
        | `name` | required | letters, digits, `_` and `-`; none of GLUE's names, `mnli_matched` or `mnli_mismatched` |
        | `train`, `validation`, `test` | `train` is required | files, plain or packed with gzip (`train.tsv.gz`); a validation file without a test file is halved into both |
        | `holdOut` | `1000` | number of training rows that become validation when there is no validation file; or `{validation: 100, test: 100}`, which without a test file takes test rows, too: those that come after the validation rows in the same random order |
        | `format` | from the name of `train` | `tsv` (no quoting), `csv` (quotes as in RFC 4180) or `jsonl`, for all files; a `.gz` at the end of a name does not count |
        | `header` | `true` | whether a TSV or CSV file begins with the names of its columns |
        | `columns` | none | names of the columns, in order, when `header` is false |
        | `fields` | required | columns (TSV, CSV) or keys (JSONL) that the model reads; `target.text` is the key `text` of the object under `target` |
        | `template` | `<name> <field>: {field} ...` | source text; `{target.text}` stands for such a field, `{{` and `}}` for braces |
        | `label` | `label` | column or key of the label or score |
        | `labels` | this, `range` or `target` | list of labels, or mapping from label to answer text, in class order |
        | `range` | this, `labels` or `target` | `[minimum, maximum, step]` of a regression |
        | `target` | this, `labels` or `range` | column or key of an answer in free text; in JSONL also a list of texts, which are all right and of which the first is trained on |
        | `metrics` | `[accuracy]`, `[pearson, spearman]`, `[exact_match, token_f1]` | of labels: accuracy, f1 (two labels), matthews, macro_f1, group_exact_match (with `group`); of a range: pearson, spearman; of free text: exact_match, token_f1, rouge_l, bleu ([what they are](metrics.md)) |
        | `positive` | 1 beside 0 or -1, true beside false, otherwise the second of `labels` | the label, as in the files, for which f1 is computed; tables and JSON name it |
        | `group` | none | column or key whose value rows that belong together share, as the answers to one question do; they stay together when rows are drawn for a split, for `eval.maxExamples` and for the intervals of a study |

        """
}
