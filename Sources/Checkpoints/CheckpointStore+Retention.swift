public import Failures
import Glibc
import Tensors

extension CheckpointStore {
    /// Removes checkpoints older than the newest `count`, but never one that `best` or `last` points to.
    ///
    /// Only complete checkpoints count towards `count`, so damaged ones never displace an intact one. Returns the removed
    /// steps. Throws `cannotWrite` when one cannot be removed; a partly removed directory never has its own name any more.
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

    /// Renames the checkpoints of later steps, for a run that the user resumes from an earlier one.
    ///
    /// Otherwise they would count as the newest ones of the resumed run. They stay as `superseded-step-N-k`. If `last` pointed
    /// to one of them, it points to `step` afterwards; if `best` did, it is removed. Returns the steps.
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

    /// Renames whatever has a name in the store to `superseded-NAME-k`; the caller must hold the lock.
    func putAside(_ name: String) throws(Failure) {
        var copy = 1
        func place() -> String { "\(directory)/superseded-\(name)-\(copy)" }
        while fileType(place()) != nil { copy += 1 }
        try DurableFile.rename("\(directory)/\(name)", to: place())
    }
}
