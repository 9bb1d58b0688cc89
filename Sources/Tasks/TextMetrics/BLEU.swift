import Foundation

/// BLEU of a corpus, with the tokenizer 13a and exponential smoothing.
///
/// Source: sacreBLEU (Post, A Call for Clarity in Reporting BLEU Scores, 2018), signature
/// `case:mixed|eff:no|tok:13a|smooth:exp`; Papineni et al., 2002.
enum BLEU {
    private static let order = 4
    /// How many counts an example has.
    static let countsOfExample = 2 + 2 * order

    /// The counts of an example, which are summed over a corpus: the length of the answer, that of the reference whose length is
    /// nearest (the shorter of two), the matches of n-grams for n from 1 to 4, and the answer's n-grams.
    static func counts(_ answer: String, references: [String]) -> [Int] {
        var numbers: [[Unicode.Scalar]: Int] = [:]
        func words(_ text: String) -> [Int] {
            tokens(text).map { token in
                if let known = numbers[token] { return known }
                let new = numbers.count
                numbers[token] = new
                return new
            }
        }
        let own = words(answer)
        let others = references.map(words)
        let nearest = others.map(\.count).min { (abs($0 - own.count), $0) < (abs($1 - own.count), $1) } ?? 0
        var (matches, totals): ([Int], [Int]) = ([], [])
        for n in 1...order {
            var most: [ArraySlice<Int>: Int] = [:]
            for other in others { most.merge(grams(other, n)) { max($0, $1) } }
            let grams = grams(own, n)
            matches.append(grams.reduce(0) { $0 + min($1.value, most[$1.key] ?? 0) })
            totals.append(max(0, own.count - n + 1))
        }
        return [own.count, nearest] + matches + totals
    }

    /// The figure from 0 to 1 for summed counts. It is 0 if nothing matches, or if no answer has four words.
    static func value(_ counts: [Int]) -> Double {
        let (length, reference) = (Double(counts[0]), Double(counts[1]))
        let (matches, totals) = (counts[2..<(2 + order)], counts[(2 + order)...])
        guard matches.contains(where: { $0 > 0 }), !totals.contains(0) else { return 0 }
        var smoothing = 1.0
        var logarithms = 0.0
        for (match, total) in zip(matches, totals) {
            if match == 0 { smoothing *= 2 }
            logarithms += log(match == 0 ? 1 / (smoothing * Double(total)) : Double(match) / Double(total))
        }
        let brevity = length < reference ? exp(1 - reference / length) : 1
        return brevity * exp(logarithms / Double(order))
    }

    private static func grams(_ words: [Int], _ n: Int) -> [ArraySlice<Int>: Int] {
        guard words.count >= n else { return [:] }
        return Dictionary((0...(words.count - n)).map { (words[$0..<($0 + n)], 1) }, uniquingKeysWith: +)
    }

    /// The tokens of a text: the tokenizer 13a of sacreBLEU, which is that of WMT's mteval-v13a.
    static func tokens(_ text: String) -> [[Unicode.Scalar]] {
        var scalars = Array(text.unicodeScalars)
        scalars.removeLast(scalars.reversed().prefix(while: PlainText.isSpace).count)
        for (old, new) in [("<skipped>", ""), ("-\n", ""), ("\n", " ")] { replace(old, by: new, in: &scalars) }
        if scalars.contains("&") {
            for (old, new) in [("&quot;", "\""), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">")] {
                replace(old, by: new, in: &scalars)
            }
        }
        // Each pass reads what the one before wrote, as mteval's substitutions do.
        scalars = [" "] + scalars + [" "]
        scalars = scalars.flatMap { isSymbol($0) ? [" ", $0, " "] : [$0] }
        scalars = spacing(scalars) { !isDigit($0) && isPoint($1) ? [$0, " ", $1, " "] : nil }
        scalars = spacing(scalars) { isPoint($0) && !isDigit($1) ? [" ", $0, " ", $1] : nil }
        scalars = spacing(scalars) { isDigit($0) && $1 == "-" ? [$0, " ", $1, " "] : nil }
        return PlainText.words(scalars)
    }

    private static func replace(_ old: String, by new: String, in scalars: inout [Unicode.Scalar]) {
        let old = Array(old.unicodeScalars)
        guard scalars.contains(old[0]) else { return }
        scalars.replace(old, with: Array(new.unicodeScalars))
    }

    /// Replaces pairs of neighbours for which `pair` gives something else, from left to right and without overlaps.
    private static func spacing(
        _ scalars: [Unicode.Scalar], _ pair: (Unicode.Scalar, Unicode.Scalar) -> [Unicode.Scalar]?
    ) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        result.reserveCapacity(scalars.count)
        var place = 0
        while place < scalars.count {
            if place + 1 < scalars.count, let spaced = pair(scalars[place], scalars[place + 1]) {
                result += spaced
                place += 2
            } else {
                result.append(scalars[place])
                place += 1
            }
        }
        return result
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { (0x30...0x39).contains(scalar.value) }

    private static func isPoint(_ scalar: Unicode.Scalar) -> Bool { scalar == "." || scalar == "," }

    /// ASCII's marks but the apostrophe, comma, hyphen and point.
    private static func isSymbol(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x20...0x26, 0x28...0x2B, 0x2F, 0x3A...0x40, 0x5B...0x60, 0x7B...0x7E: true
        default: false
        }
    }
}
