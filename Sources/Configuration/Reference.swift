/// The reference page of all keys, made from the table.
public enum ConfigurationReference {
    /// `docs/configuration.md` as it must be.
    public static var markdown: String {
        var text = """
            # Configuration

            One YAML file; every key has a default except `model`, and `data.glue` where GLUE's tasks are used. The
            preset comes first, then the file, then each `--set key=value` in order. Unknown keys, wrong types and
            impossible combinations are refused with file, line and key. Keys marked * decide the bits of the result: a
            resumed run must agree with them. This page is made from the program's own table of keys.

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
        text += "\n## Presets\n\n`paper` is the defaults above. The others change:\n"
        for name in ["hyperformer", "repo"] {
            text += "\n`\(name)`:\n\n```yaml\n\(Presets.yaml(name))\n```\n"
        }
        return text
    }
}
