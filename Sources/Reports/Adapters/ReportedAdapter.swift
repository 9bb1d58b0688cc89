package import Analysis

/// The adapter of a run in a report.
package struct ReportedAdapter {
    package let name: RunName
    package let analysis: RunAnalysis

    /// Creates an adapter.
    package init(name: RunName, analysis: RunAnalysis) { (self.name, self.analysis) = (name, analysis) }
}
