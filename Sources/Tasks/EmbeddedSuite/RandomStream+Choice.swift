import Randomness

extension RandomStream {
    /// Returns one of the elements, all equally likely.
    mutating func choice<Element>(_ elements: [Element]) -> Element { elements[below(elements.count)] }

    /// Returns one of the elements that are not `excluded`, all equally likely; there must be one.
    mutating func choice<Element: Equatable>(_ elements: [Element], not excluded: Element) -> Element {
        while true {
            let element = choice(elements)
            if element != excluded { return element }
        }
    }

    /// True with probability `percent` / 100.
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

    /// Returns an element with probability proportional to its weight.
    mutating func weighted<Element>(_ options: [(Element, Int)]) -> Element {
        var rest = below(options.reduce(0) { $0 + $1.1 })
        for (element, weight) in options {
            if rest < weight { return element }
            rest -= weight
        }
        preconditionFailure("weights are positive")
    }
}
