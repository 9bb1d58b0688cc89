import Failures
import Glibc
import Tensors

extension CheckpointStore {
    /// Removes checkpoints older than the newest `count`, but never what `best` or `last` points at.
    ///
    /// Only complete ones count towards `count`, so damaged ones never displace an intact one. Returns the steps
    /// removed. `cannotWrite` when one cannot be removed; no directory is ever half removed under its own name.
    @discardableResult
    public func prune(keepingNewest count: Int) throws(Failure) -> [Int] {
        try exclusively { () throws(Failure) in try removeOld(keepingNewest: count) }
    }

    private func removeOld(keepingNewest count: Int) throws(Failure) -> [Int] {
        let protected = Set(Link.allCases.compactMap(step(of:)))
        var complete = 0
        var removed: [Int] = []
        for step in try steps().reversed() {
            if complete < max(count, 1) {
                if (try? Checkpoint.manifestWithSizes(path(step: step))) != nil { complete += 1 }
                continue
            }
            guard !protected.contains(step), fileType(path(step: step)) == S_IFDIR else { continue }
            let hidden = temporaryPath(Self.name(step: step))
            try DurableFile.rename(path(step: step), to: hidden)
            try removeTree(hidden)
            removed.append(step)
        }
        return removed
    }

    /// Moves checkpoints of later steps out of the way, as when a run is resumed from an earlier one by request.
    ///
    /// They would otherwise pass for the newest ones of the new course. They stay as `superseded-step-N-k`; a link that
    /// pointed at one points at `step` afterwards if it is `last`, and is removed if it is `best`. Returns the steps.
    @discardableResult
    public func supersede(after step: Int) throws(Failure) -> [Int] {
        try exclusively { () throws(Failure) in try setAside(after: step) }
    }

    private func setAside(after step: Int) throws(Failure) -> [Int] {
        let later = try steps().filter { $0 > step }
        for link in Link.allCases {
            guard let target = self.step(of: link), target > step else { continue }
            if link == .last, fileType(path(step: step)) == S_IFDIR {
                try self.link(.last, to: step)
            } else {
                try unlink(link)
            }
        }
        for step in later { try putAside(Self.name(step: step)) }
        return later
    }

    /// Moves what stands in the store under a name out of the way, to `superseded-NAME-k`; for those who hold the lock.
    func putAside(_ name: String) throws(Failure) {
        var copy = 1
        func place() -> String { "\(directory)/superseded-\(name)-\(copy)" }
        while fileType(place()) != nil { copy += 1 }
        try DurableFile.rename("\(directory)/\(name)", to: place())
    }
}
