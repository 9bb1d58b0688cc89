/// What the page of a study says about the adapter of one of its lines.
package enum StudyAdapter {
    case analysed(ReportedAdapter)
    /// There is none, for a reason in a sentence.
    case absent(line: String, reason: String)
}
