import Configuration

extension StudyTable.Products {
    /// Runs that ask for the same products and were computed alike.
    private struct Alike {
        var computedBy: RunResult.ComputedBy
        var runs: [Runs] = []
    }

    /// Groups of runs that ask for the same products and were computed differently, as where the nodes of an array job have different
    /// processors; none where all such runs are alike.
    static func different(_ study: Study, _ results: StudyResults) -> [Self] {
        var groups: [(asked: String, alike: [Alike])] = []
        for (line, seeds) in zip(study.lines, results.lines) {
            let asked = "\(line.configuration.products.rawValue) by \(line.configuration.gemm)"
            let group = groups.place(of: (asked, [])) { $0.asked == asked }
            for seed in seeds {
                let all = Set(seed.runs.compactMap(\.computedBy)).sorted { $0.text < $1.text }
                for computedBy in all {
                    let place = groups[group].alike.place(of: Alike(computedBy: computedBy)) {
                        $0.computedBy == computedBy
                    }
                    let own = groups[group].alike[place].runs.place(of: Runs(title: line.title, seeds: [])) {
                        $0.title == line.title
                    }
                    groups[group].alike[place].runs[own].seeds.append(seed.seed)
                }
            }
        }
        return groups.flatMap { group -> [Self] in
            let differs = differences(group.alike.map(\.computedBy))
            return differs.isEmpty
                ? [] : group.alike.map { Self(differs: differs, computedBy: $0.computedBy.text, runs: $0.runs) }
        }
    }

    private static func differences(_ all: [RunResult.ComputedBy]) -> [Difference] {
        (Set(all.map(\.products)).count > 1 ? [.products] : []) + (Set(all.map(\.loops)).count > 1 ? [.loops] : [])
    }

    /// Sentences for people, one for each of what differs.
    static func notes(_ products: [Self]) -> [String] {
        let cases: [([Difference], String)] = [
            ([.products], "Products with frozen weights that were asked for alike were not computed alike"),
            ([.loops], "The program's own loops were not the same in runs that ask for the same products"),
            (
                [.products, .loops],
                "Products with frozen weights that were asked for alike were not computed alike, and the program's own loops were not "
                    + "the same"
            ),
        ]
        return cases.compactMap { differs, sentence in
            let own = products.filter { $0.differs == differs }
            return own.isEmpty ? nil : "\(sentence): \(own.map(\.text).joined(separator: "; "))"
        }
    }

    /// The group as words: `oneDNN ...: one (seeds 1, 2), two (seed 1)`.
    private var text: String {
        let runs = runs.map { run in
            "\(run.title) (seed\(run.seeds.count == 1 ? "" : "s") \(run.seeds.map(String.init).joined(separator: ", ")))"
        }
        return "\(computedBy): \(runs.joined(separator: ", "))"
    }
}

extension Array {
    /// The place of the first element that fits; where none does, `element` is appended.
    fileprivate mutating func place(of element: @autoclosure () -> Element, where fits: (Element) -> Bool) -> Int {
        if let place = firstIndex(where: fits) { return place }
        append(element())
        return count - 1
    }
}
