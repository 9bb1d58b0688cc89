import Foundation
import Synchronization
import Tensors

/// A line on a terminal that is written again and again in its place.
///
/// It is never wider than the terminal, since a terminal would wrap it and each new text would then begin a new line. What is
/// written by `Terminal` in the meantime begins on a line of its own.
package struct LiveLine: Sendable {
    /// A part of the line.
    package struct Part: Sendable {
        /// Text where there is room for it.
        package let text: String
        /// Text for a narrow terminal.
        let short: String
        /// Among parts that do not fit together, those with the smallest number stay.
        let rank: Int

        package init(_ text: String, short: String? = nil, rank: Int) {
            self.text = text
            self.short = short ?? text
            self.rank = rank
        }
    }

    /// The descriptor whose line is not ended yet, and -1 for none. The handler of a signal may read it.
    private static let open = Atomic<Int32>(-1)

    /// The sentence about a lack of memory also begins on a line of its own, though nothing can be allocated then.
    private static let endsOnShortage: Void = Memory.onShortage { _ in endInHandler() }

    private let descriptor: Int32
    private var lastLength = 0

    /// A line on the terminal with this descriptor.
    package init(on descriptor: Int32) {
        self.descriptor = descriptor
        Self.endsOnShortage
    }

    /// Overwrites the line with as many of the parts as fit, in the order given.
    package mutating func show(_ parts: [Part]) {
        // In the last column some terminals already go on to the next line.
        let width = max(1, Self.columns(of: descriptor) - 1)
        let text = Self.fitting(parts, width: width)
        if Self.open.load(ordering: .relaxed) != descriptor { lastLength = 0 }
        let padding = String(repeating: " ", count: max(0, min(lastLength, width) - text.count))
        Self.open.store(descriptor, ordering: .relaxed)
        _ = Terminal.write("\r" + text + padding, to: descriptor)
        lastLength = text.count
    }

    /// Ends the line that is shown, if there is one, so that other text can follow.
    package static func end() {
        let descriptor = open.exchange(-1, ordering: .relaxed)
        if descriptor >= 0 { _ = Terminal.write("\n", to: descriptor) }
    }

    /// Like `end`, for the handler of a signal, which may not use a lock or memory.
    static func endInHandler() {
        let descriptor = open.exchange(-1, ordering: .relaxed)
        guard descriptor >= 0 else { return }
        var lineFeed: UInt8 = 0x0A
        _ = unsafe Foundation.write(descriptor, &lineFeed, 1)
    }

    /// The parts with two spaces between them: all if they fit, else their short texts without those that matter least. A single
    /// part that is too wide is cut.
    static func fitting(_ parts: [Part], width: Int) -> String {
        func line(_ texts: [String]) -> String { texts.joined(separator: "  ") }
        let whole = line(parts.map(\.text))
        if whole.count <= width { return whole }
        for last in parts.map(\.rank).sorted(by: >) {
            let short = line(parts.filter { $0.rank <= last }.map(\.short))
            if short.count <= width { return short }
        }
        return String(parts.min { $0.rank < $1.rank }?.short.prefix(width) ?? "")
    }

    /// The width of a terminal, which may change at any time; 80 if it does not say.
    private static func columns(of descriptor: Int32) -> Int {
        var size = winsize()
        let code = unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size)
        return code == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
    }
}
