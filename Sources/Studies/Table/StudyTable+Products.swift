import Configuration

extension StudyTable.Products {
    /// Groups of runs that ask for the same products and were computed differently, as where the nodes of an array job have different
    /// processors; none where all such runs are alike.
    static func different(_ study: Study, _ results: StudyResults) -> [Self] {
        var groups: [(asked: String, products: [Self])] = []
        for (line, seeds) in zip(study.lines, results.lines) {
            let asked = "\(line.configuration.products.rawValue) by \(line.configuration.gemm)"
            let group =
                groups.firstIndex { $0.asked == asked }
                ?? {
                    groups.append((asked, []))
                    return groups.count - 1
                }()
            for seed in seeds {
                for name in Set(seed.runs.compactMap(\.products)).sorted() {
                    groups[group].products.add(name, line.title, seed.seed)
                }
            }
        }
        return groups.filter { $0.products.count > 1 }.flatMap(\.products)
    }

    /// The group as words: `oneDNN ...: one (seeds 1, 2), two (seed 1)`.
    var text: String {
        let runs = runs.map { run in
            "\(run.title) (seed\(run.seeds.count == 1 ? "" : "s") \(run.seeds.map(String.init).joined(separator: ", ")))"
        }
        return "\(computedBy): \(runs.joined(separator: ", "))"
    }
}

extension [StudyTable.Products] {
    /// Adds a seed of a line to the runs of a library.
    fileprivate mutating func add(_ name: String, _ title: String, _ seed: Int) {
        let place =
            firstIndex { $0.computedBy == name }
            ?? {
                append(.init(computedBy: name, runs: []))
                return count - 1
            }()
        if let line = self[place].runs.firstIndex(where: { $0.title == title }) {
            self[place].runs[line].seeds.append(seed)
        } else {
            self[place].runs.append(.init(title: title, seeds: [seed]))
        }
    }
}
