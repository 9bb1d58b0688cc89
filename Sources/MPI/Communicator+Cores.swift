public import Failures

extension Communicator {
    /// The cores that this rank may count on when it shares its node with the other ranks: see `AvailableCores.shares(of:)`.
    /// Collective over a node communicator. The number of threads never changes a result.
    public func fairShare(of own: AvailableCores) throws(Failure) -> Int {
        let words = try allReduce(.maximum, Int64((own.cores.max() ?? 0) / 64 + 1))
        var mask = [UInt64](repeating: 0, count: Int(words))
        for core in own.cores { mask[core / 64] |= 1 << (core % 64) }
        let quota = own.quota ?? .infinity
        let processes = try allGather([quota.bitPattern] + mask).map { words in
            let quota = Double(bitPattern: words[0])
            let mask = words.dropFirst()
            let cores = (0..<64 * mask.count).filter { mask[mask.startIndex + $0 / 64] >> ($0 % 64) & 1 == 1 }
            return AvailableCores(cores: Set(cores), quota: quota.isFinite ? quota : nil)
        }
        return AvailableCores.shares(of: processes)[rank]
    }
}
