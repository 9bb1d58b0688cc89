/// The scales of `unolora_star`.
package struct ScaleAnalysis: Codable, Sendable {
    /// Over what mean and deviation are taken.
    package enum Basis: String, Codable, Sendable {
        /// All training texts of the task.
        case trainingTexts
        /// The hypernetwork reads no text: every text of a task has the same scales.
        case anyText
    }

    /// The scales of one task.
    package struct Task: Codable, Sendable {
        package let task: String
        /// Number of texts; nil if the scales do not depend on them.
        package let texts: Int?
        /// In the order of the sites.
        package let sites: [Site]

        package init(task: String, texts: Int?, sites: [Site]) {
            (self.task, self.texts, self.sites) = (task, texts, sites)
        }
    }

    /// The scales of one task at one site.
    package struct Site: Codable, Sendable {
        package let site: SiteLabel
        /// Of each low-rank dimension.
        package let mean: [Double]
        /// The standard deviation over the texts.
        package let deviation: [Double]

        package init(site: SiteLabel, mean: [Double], deviation: [Double]) {
            (self.site, self.mean, self.deviation) = (site, mean, deviation)
        }
    }

    package let basis: Basis
    package let tasks: [Task]
    package let distances: TaskDistances

    /// The scales of all tasks, and the distances that they imply.
    package init(basis: Basis, tasks: [Task]) {
        self.basis = basis
        self.tasks = tasks
        distances = TaskDistances(
            tasks: tasks.map(\.task), vectors: tasks.map { $0.sites.flatMap(\.mean) })
    }
}
