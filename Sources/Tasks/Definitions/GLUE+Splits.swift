import Glibc

extension GLUE {
    /// The split of MNLI's mismatched dev set under the rule `dev`.
    private static let besideValidation = SplitName(rawValue: "validation_mismatched")

    /// The splits of a task whose files are in `folder`.
    static func splits(_ name: String, _ folder: String, _ rule: SplitRule) -> [SplitDefinition] {
        let train = SplitDefinition(.train, .files(["\(folder)/train.tsv"]))
        return [train] + (rule == .paper ? paperSplits(name, folder) : devSplits(name, folder))
    }

    private static func paperSplits(_ name: String, _ folder: String) -> [SplitDefinition] {
        let development = ["\(folder)/dev.tsv"]
        let heldOut = SplitDefinition(.validation, .heldOutOfTraining(1000))
        switch name {
        case "mnli":
            return [
                mismatched(folder).map { SplitDefinition(.validation, .files([$0]), label: "mismatched") } ?? heldOut,
                SplitDefinition(.test, .files(["\(folder)/dev_matched.tsv"]), label: "matched"),
            ]
        case "sst2", "qqp", "qnli":
            return [heldOut, SplitDefinition(.test, .files(development))]
        default:
            return [
                SplitDefinition(.validation, .firstHalf(of: development)),
                SplitDefinition(.test, .secondHalf(of: development)),
            ]
        }
    }

    private static func devSplits(_ name: String, _ folder: String) -> [SplitDefinition] {
        guard name == "mnli" else { return [SplitDefinition(.validation, .files(["\(folder)/dev.tsv"]))] }
        let matched = SplitDefinition(.validation, .files(["\(folder)/dev_matched.tsv"]), label: "matched")
        return [matched]
            + (mismatched(folder).map { [SplitDefinition(besideValidation, .files([$0]), label: "mismatched")] } ?? [])
    }

    /// The path of MNLI's mismatched dev set, which some copies of GLUE lack; nil when it does not exist.
    private static func mismatched(_ folder: String) -> String? {
        let path = "\(folder)/dev_mismatched.tsv"
        return unsafe access(path, F_OK) == 0 ? path : nil
    }
}
