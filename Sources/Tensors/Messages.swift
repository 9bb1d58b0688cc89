import SystemPackage

/// The system's text for an error number.
package func systemMessage(_ code: Int32) -> String { Errno(rawValue: code).description }

extension String {
    /// The text fit for one line of a message: control characters escaped and the middle of long texts left out.
    ///
    /// Names come from files that nobody has checked yet and may hold anything.
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
