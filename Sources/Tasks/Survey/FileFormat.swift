public import Failures
import Tensors

/// The formats of files that can be surveyed.
public enum FileFormat: String, Sendable, CaseIterable {
    /// Tab-separated values.
    case tsv
    /// Comma-separated values with quotes.
    case csv
    /// One JSON object per line.
    case jsonl

    /// The format that a file's name ends with, packed or not; throws `usage` for another name.
    public init(ofName path: String) throws(Failure) {
        let plain = path.hasSuffix(".gz") ? String(path.dropLast(3)) : path
        guard let format = Self.allCases.first(where: { plain.hasSuffix("." + $0.rawValue) }) else {
            throw Failure(
                .usage, "the format of \(path.shown) does not show in its name; give --format tsv, csv or jsonl")
        }
        self = format
    }
}
