/// Judges by one's own clock whether the holder of a lease lives, from what its file says now and then: clocks of two hosts
/// may differ, and so does what a file system makes of them.
struct LeaseWatch {
    /// Seconds without a change after which nobody holds the lease any more.
    let limit: Double
    private var last: LeaseFile.Content?
    private var lookedAt = 0.0
    private var unchanged = 0.0
    /// Whether the file has changed since the first look: somebody renews it.
    private(set) var hasChanged = false

    init(limit: Double) { self.limit = limit }

    /// Takes note of what the file says at a time; whether nobody holds it any more.
    mutating func look(_ content: LeaseFile.Content, at now: Double) -> Bool {
        if let last, last == content {
            // A look that took long, or before which this process was stopped, says nothing of the time between: a file
            // system that hangs may keep the holder from renewing.
            unchanged += min(max(now - lookedAt, 0), 1)
        } else {
            hasChanged = hasChanged || last != nil
            unchanged = 0
        }
        last = content
        lookedAt = now
        return unchanged >= limit
    }
}
