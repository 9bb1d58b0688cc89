import SystemPackage

/// The system's text for an error number.
package func systemMessage(_ code: Int32) -> String { Errno(rawValue: code).description }

extension String {
    /// The text in a form that fits into one line of a message: control characters are escaped, and the middle of a long text
    /// is left out.
    ///
    /// Names come from files that nobody has checked yet, so they may contain anything.
    package var shown: String {
        func escaped(_ part: some Sequence<Unicode.Scalar>) -> String {
            part.reduce(into: "") { text, scalar in
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator: text += scalar.escaped(asASCII: true)
                default: text.unicodeScalars.append(scalar)
                }
            }
        }
        let limit = 400
        let scalars = unicodeScalars
        guard utf8.count > limit, scalars.count > limit else { return escaped(scalars) }
        return escaped(scalars.prefix(limit / 2)) + "..." + escaped(scalars.suffix(limit / 2))
    }
}
