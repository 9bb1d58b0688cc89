package import Configuration

/// What TensorBoard shows of a whole run.
extension Event {
    /// The configuration as text, and the keys that decide the result for the tab HPARAMS.
    ///
    /// TensorBoard makes the columns of that tab from all runs that it shows, as long as none describes an experiment
    /// (`_hparams_/experiment`). It takes such a description from one of the runs, which then lacks the tasks and keys of others. So
    /// there is none.
    package static func beginning(of configuration: RunConfiguration, in run: RunDirectory) -> [Tagged] {
        // Indented lines are code in Markdown, whatever they contain.
        let code = configuration.resolvedYAML(in: run.path).split(separator: "\n", omittingEmptySubsequences: false)
            .map { "    " + $0 }.joined(separator: "\n")
        return [
            ("config.yaml", .text(code)),
            ("_hparams_/session_start_info", .begun(configuration.hyperparameters)),
        ]
    }

    /// The run is finished. A run that failed or left is not said to have ended: it can be continued, and TensorBoard keeps the
    /// first end that it reads.
    package static let end: [Tagged] = [("_hparams_/session_end_info", .finished)]
}
