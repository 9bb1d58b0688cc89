package import Configuration
package import Failures
package import Tasks

extension RunState.Identity {
    /// Refuses to continue the run of `self` as `other`; names the first difference.
    package func refuseDifference(from other: Self, path: String) throws(Failure) {
        guard let difference = firstDifference(to: other) else { return }
        throw Failure(
            .badConfiguration,
            "\(path) cannot be resumed: \(difference); use --resume never with another --out to start anew")
    }

    /// Refuses to repeat the training of `self` as `other`; names the first difference. If the data's files are the same and
    /// only their tokens differ, it is not refused: the comparison of the bits will show the effect.
    package func refuseReplay(as other: Self, path: String) throws(Failure) {
        var present = other
        if sources != nil, sources == other.sources { present.data = data }
        guard let difference = firstDifference(to: present) else { return }
        throw Failure(
            .badConfiguration, "\(path) cannot be reproduced: \(difference); put back what it was trained with")
    }

    /// The first change of the files from which a run was made, as a part of a sentence; nil for none. It is one of the model, its
    /// vocabulary, or the tasks' files as far as the run's state names them.
    package func change(backbone: String, vocabulary: String, sources present: [TaskSources]) -> String? {
        var other = self
        (other.backbone, other.vocabulary) = (backbone, vocabulary)
        if let sources, !TaskSources.differences(from: sources, to: present).isEmpty {
            // Other files have other tokens, whose digest is not known.
            (other.sources, other.data) = (present, "")
        }
        return firstDifference(to: other)
    }

    /// The first thing that decides the bits of the training and differs in `other`, apart from the adapter with which the run begins,
    /// as a part of a sentence; nil for none.
    package func change(to other: Self) -> String? {
        var present = other
        (present.origin, present.newTasks) = (origin, newTasks)
        return firstDifference(to: present)
    }

    /// The first thing that decides the bits and differs in `other`, as a part of a sentence.
    private func firstDifference(to other: Self) -> String? {
        if origin != other.origin { return "the adapter that the run begins with (init.from) differs" }
        if let difference = RunConfiguration.differences(from: configuration, to: other.configuration).first {
            return "the configuration differs (\(difference))"
        }
        if backbone != other.backbone {
            return "the model (its config.json or weights) differs: its digest was \(backbone) and is \(other.backbone)"
        }
        if hasOtherVocabulary(than: other.vocabulary) {
            return
                "the vocabulary (the tokenizer of the model directory, such as spiece.model, with its added tokens) differs"
        }
        if layout != other.layout { return "the trainables' layout differs" }
        guard data != other.data else { return nil }
        return "the tokenised data differs (\(dataDifferences(to: other).first ?? Self.anyData))"
    }

    /// Whether the training changes of what belongs to tasks only that of `newTasks`.
    package var trainsOnlyNewTasks: Bool {
        configuration.split(separator: "\n").contains("hyper.onlyNewTasks: true")
    }

    /// Whether both digests of the vocabulary are known and differ.
    package func hasOtherVocabulary(than digest: String?) -> Bool {
        guard let vocabulary, let digest else { return false }
        return vocabulary != digest
    }

    /// The changes in `other` on which `use` of the adapter of `self` depends, apart from model and vocabulary; each is a part
    /// of a sentence.
    package func changes(to other: Self, for use: AdapterUse) -> [String] {
        let settings = RunConfiguration.differences(from: configuration, to: other.configuration, for: use)
        if case .prediction = use { return settings }
        guard data != other.data else { return settings }
        let files = dataDifferences(to: other)
        // Settings also decide the tokens.
        return files.isEmpty && settings.isEmpty ? ["the tokenised data (\(Self.anyData))"] : settings + files
    }

    private static let anyData = "task files, vocabulary or data settings"

    /// Which files and rows differ, as far as both identities know them.
    private func dataDifferences(to other: Self) -> [String] {
        guard let sources, let others = other.sources else { return [] }
        let differences = TaskSources.differences(from: sources, to: others)
        return differences.isEmpty && vocabulary != nil && !hasOtherVocabulary(than: other.vocabulary)
            && RunConfiguration.differences(from: configuration, to: other.configuration).isEmpty
            ? ["the same files become other tokens in this version of the program"] : differences
    }
}
