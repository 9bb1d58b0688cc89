extension String {
    /// Whether no more than 30 combining marks follow one another (the Stream-Safe Text Format of Unicode's annex 15).
    ///
    /// Swift compares and hashes texts as if they were normalised, in a time that grows with the square of such a run: a
    /// name of a megabyte of marks would take the better part of an hour. Real text has less than ten.
    package var isStreamSafe: Bool {
        // A mark has two bytes or more.
        guard utf8.count > 60, !utf8.allSatisfy({ $0 < 0x80 }) else { return true }
        var run = 0
        for scalar in unicodeScalars {
            run = scalar.properties.canonicalCombiningClass == .notReordered ? 0 : run + 1
            if run > 30 { return false }
        }
        return true
    }
}
