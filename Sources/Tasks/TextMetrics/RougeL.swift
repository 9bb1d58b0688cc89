/// ROUGE-L of a text: the F-measure of the longest common subsequence of its words and a reference's.
///
/// The words are the runs of a-z and 0-9 in lower case, without stemming: a text in another script has none, and its value is 0.
///
/// Source: the library rouge-score; Lin, ROUGE: A Package for Automatic Evaluation of Summaries, 2004.
struct RougeL {
    private let words: [[UInt8]]

    init(_ text: String) {
        var (words, word): ([[UInt8]], [UInt8]) = ([], [])
        for scalar in PlainText.lowercased(text) {
            if (0x30...0x39).contains(scalar.value) || (0x61...0x7A).contains(scalar.value) {
                word.append(UInt8(scalar.value))
            } else if !word.isEmpty {
                words.append(word)
                word = []
            }
        }
        self.words = word.isEmpty ? words : words + [word]
    }

    /// The F-measure against a reference; 0 when one of them has no words.
    func fMeasure(_ reference: RougeL) -> Double {
        guard !words.isEmpty, !reference.words.isEmpty else { return 0 }
        // Numbers are compared faster than words.
        var numbers: [[UInt8]: Int32] = [:]
        func number(_ word: [UInt8]) -> Int32 {
            if let known = numbers[word] { return known }
            let new = Int32(numbers.count)
            numbers[word] = new
            return new
        }
        let (own, other) = (words.map(number), reference.words.map(number))
        let common = Self.commonLength(own, other)
        let precision = Double(common) / Double(own.count)
        let recall = Double(common) / Double(other.count)
        return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0
    }

    /// The length of the longest common subsequence, in time proportional to the product of the lengths.
    private static func commonLength(_ a: [Int32], _ b: [Int32]) -> Int {
        var above = [Int](repeating: 0, count: b.count + 1)
        var row = above
        for x in a {
            for (place, y) in b.enumerated() {
                row[place + 1] = x == y ? above[place] + 1 : max(above[place + 1], row[place])
            }
            swap(&above, &row)
        }
        return above[b.count]
    }
}
