import Failures
import Foundation

/// The JSON that this program writes: equal values give equal bytes, since keys are sorted, and slashes stay readable.
package enum StableJSON {
    /// A file that people read too, indented, without a last line end; `what` names the value when it cannot be encoded.
    package static func document(
        _ value: some Encodable, _ what: @autoclosure () -> String
    ) throws(Failure) -> Data {
        try encode(value, what(), JSONEncoder(), [.prettyPrinted])
    }

    /// One line, without its end. JSON has no NaN and no infinity; they are refused or become "nan", "inf", "-inf".
    package static func line(
        _ value: some Encodable, _ what: @autoclosure () -> String, nonFiniteAsText: Bool = false
    ) throws(Failure) -> Data {
        let encoder = JSONEncoder()
        if nonFiniteAsText {
            encoder.nonConformingFloatEncodingStrategy = .convertToString(
                positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        }
        return try encode(value, what(), encoder, [])
    }

    private static func encode(
        _ value: some Encodable, _ what: String, _ encoder: JSONEncoder, _ layout: JSONEncoder.OutputFormatting
    ) throws(Failure) -> Data {
        encoder.outputFormatting = layout.union([.sortedKeys, .withoutEscapingSlashes])
        do {
            return try encoder.encode(value)
        } catch {
            throw Failure(.internal, "\(what) cannot be encoded: \(error)")
        }
    }
}
