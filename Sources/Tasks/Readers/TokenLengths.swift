/// The lengths of a split's texts in tokens, each with its end token, in a few numbers. They have no mean and no largest
/// length when there are no texts.
public struct TokenLengths: Sendable, Equatable, Codable {
    /// The sum.
    public let total: Int
    /// The mean.
    public let mean: Double?
    /// The smallest length that at least 95 % of the texts do not exceed.
    public let percentile95: Int?
    /// The largest length.
    public let longest: Int?

    /// Summarises lengths, which are not negative, in time and memory proportional to their number and to the largest one.
    init(_ lengths: some Sequence<Int>) {
        // How many texts have each length: the start of a run has no time to sort the lengths.
        var counts: [Int] = []
        var (total, texts) = (0, 0)
        for length in lengths {
            if length >= counts.count { counts += Array(repeating: 0, count: length + 1 - counts.count) }
            counts[length] += 1
            total += length
            texts += 1
        }
        self.total = total
        guard texts > 0 else {
            (mean, percentile95, longest) = (nil, nil, nil)
            return
        }
        mean = Double(total) / Double(texts)
        longest = counts.count - 1
        var (length, upTo) = (0, counts[0])
        while upTo * 100 < texts * 95 {
            length += 1
            upTo += counts[length]
        }
        percentile95 = length
    }

    /// All whole numbers.
    var numbers: [Int] { [total] + [percentile95, longest].compactMap(\.self) }
}
