import Foundation
import Pages
package import Runs

/// The name of a run on a page.
package struct RunName: Sendable, Equatable {
    /// A short one that no other run of the page has.
    package let short: String
    /// Why the run's results are not those of a whole run, in a word; nil for a finished run.
    private let state: String?
    /// Whether the page is about this run only.
    private let isAlone: Bool

    /// Creates a name.
    package init(_ short: String, _ condition: RunCondition = .finished, isAlone: Bool = false) {
        (self.short, self.isAlone) = (short, isAlone)
        state = condition.word
    }

    /// The names of several runs by their directories, relative to the present one or not: as many of the last parts of the paths as
    /// tell them apart.
    package static func names(_ paths: [String], _ conditions: [RunCondition]) -> [RunName] {
        let parts = paths.map { path in
            URL(fileURLWithPath: path).standardizedFileURL.path.split(separator: "/").map(String.init)
        }
        return zip(parts, conditions).map { own, condition in
            let count = (1...max(own.count, 1)).first { count in
                parts.count { $0.suffix(count).elementsEqual(own.suffix(count)) } == 1
            }
            let short = own.suffix(count ?? own.count).joined(separator: "/")
            return RunName(short.isEmpty ? "/" : short, condition, isAlone: paths.count == 1)
        }
    }

    /// The name as figures show it.
    var text: String { state.map { "\(short) (\($0))" } ?? short }

    /// What the titles of the run's own figures end with.
    var suffix: String { isAlone ? "" : ", \(text)" }

    /// The identifier of one of the run's own figures.
    func id(_ figure: String) -> String { isAlone ? figure : "\(figure)-\(Figure.identifier(short))" }
}
