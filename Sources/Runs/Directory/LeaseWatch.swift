/// Decides whether the holder of a lease is alive, by observing the lease's file with this process's own clock: the clocks of
/// two hosts may differ, and file systems record times differently.
struct LeaseWatch {
    /// Seconds without a change after which the lease counts as abandoned.
    let limit: Double
    private var last: LeaseFile.Content?
    private var lookedAt = 0.0
    private var unchanged = 0.0
    /// Whether the file has changed since the first look, which means that somebody renews it.
    private(set) var hasChanged = false

    init(limit: Double) { self.limit = limit }

    /// Records the content of the file at a time; returns whether the lease counts as abandoned.
    mutating func look(_ content: LeaseFile.Content, at now: Double) -> Bool {
        if let last, last == content {
            // A look that took long, or before which this process was stopped, proves nothing about the time in between: a file
            // system that hangs may also keep the holder from renewing. So at most one second counts.
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
