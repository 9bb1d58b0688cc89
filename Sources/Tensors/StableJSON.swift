package import Failures
package import Foundation

/// The JSON that this program writes: equal values give equal bytes, since keys are sorted; slashes are not escaped.
package enum StableJSON {
    /// An indented file that people read too, without a line end after the last line; `what` names the value if it cannot be
    /// encoded.
    package static func document(
        _ value: some Encodable, _ what: @autoclosure () -> String
    ) throws(Failure) -> Data {
        try encode(value, what(), JSONEncoder(), [.prettyPrinted])
    }

    /// One line, without the line end. JSON has no NaN and no infinity; they are refused, or become "nan", "inf" and "-inf".
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
