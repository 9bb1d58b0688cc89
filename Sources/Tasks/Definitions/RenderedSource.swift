/// The text of one example that the model reads, in UTF-8, and where each part of its template begins.
struct RenderedSource: Sendable, Equatable {
    private(set) var text: [UInt8] = []
    private var starts: [Int] = []

    mutating func removeAll() {
        text.removeAll(keepingCapacity: true)
        starts.removeAll(keepingCapacity: true)
    }

    /// Appends the next part of the template.
    mutating func append(_ part: some Collection<UInt8>) {
        starts.append(text.count)
        text.append(contentsOf: part)
    }

    /// Whether a part has text and all of it is at or after byte `end`; white space does not count.
    func loses(part: Int, behind end: Int) -> Bool {
        let range = starts[part]..<(part + 1 < starts.count ? starts[part + 1] : text.count)
        guard let first = text[range].firstIndex(where: { $0 > 0x20 }) else { return false }
        return first >= end
    }
}
