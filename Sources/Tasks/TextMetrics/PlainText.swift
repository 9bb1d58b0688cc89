/// White space and lower case as Python has them, in which the common figures of free text are defined.
enum PlainText {
    /// Whether `str.split` of Python separates words there: Unicode's white space, and the four separators of ASCII.
    static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.isASCII { return (0x09...0x0D).contains(scalar.value) || (0x1C...0x20).contains(scalar.value) }
        return scalar.properties.isWhitespace
    }

    /// Whether `\w` of Python's regular expressions matches: a letter, anything with a numeric value, or `_`.
    static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: scalar == "_" || scalar.properties.numericType != nil
        }
    }

    /// The text in lower case. A capital sigma at the end of a word becomes a final one, which the mapping of a single
    /// character cannot know.
    static func lowercased(_ text: String) -> [Unicode.Scalar] {
        let scalars = Array(text.unicodeScalars)
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(scalars.count)
        for (place, scalar) in scalars.enumerated() {
            if scalar.isASCII {
                let isCapital = (0x41...0x5A).contains(scalar.value)
                result.append(isCapital ? Unicode.Scalar(UInt8(scalar.value) + 0x20) : scalar)
            } else if scalar == "\u{3A3}" {
                result.append(isFinal(place, scalars) ? "\u{3C2}" : "\u{3C3}")
            } else {
                result += scalar.properties.lowercaseMapping.unicodeScalars
            }
        }
        return result
    }

    /// Whether a letter ends a word: a cased letter is before it and none after it, apart from marks that have no case.
    private static func isFinal(_ place: Int, _ scalars: [Unicode.Scalar]) -> Bool {
        func isLetter(_ rest: some Sequence<Unicode.Scalar>) -> Bool {
            rest.first { !$0.properties.isCaseIgnorable }?.properties.isCased ?? false
        }
        return isLetter(scalars[..<place].reversed()) && !isLetter(scalars[(place + 1)...])
    }

    /// The words of a text, between white space.
    static func words(_ scalars: [Unicode.Scalar]) -> [[Unicode.Scalar]] {
        scalars.split(whereSeparator: isSpace).map(Array.init)
    }
}
