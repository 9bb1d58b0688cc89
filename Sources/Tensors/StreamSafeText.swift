extension String {
    /// Whether at most 30 combining marks follow one another (the Stream-Safe Text Format of Unicode's annex 15).
    ///
    /// Swift compares and hashes texts as if they were normalised, in a time that grows with the square of the length of such a
    /// run: a name made of a megabyte of marks would take most of an hour. Real text has runs of less than ten.
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
