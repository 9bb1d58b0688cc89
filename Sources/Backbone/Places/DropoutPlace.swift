public import Kernels
public import Tensors

/// A place of the model where elements are dropped; each place draws its own masks.
///
/// A kind is a number below 2^12. `DropoutKind` has those of the backbone, 8 to 14 are the inputs of projections (`GroupKind`),
/// and a method may use any other for its own places. The number of a place consists of, from the low end: the low four bits of
/// the kind, the block (11 bits), the stack (1 bit), a 1 (so places start beyond the purposes of `RandomStream`, and dropout
/// shares no counter with other draws), three zeros, four bits for one of several sites at one place, and the high eight bits
/// of the kind.
public struct DropoutPlace: Sendable, Hashable {
    /// The number, a part of the counter of the random generator.
    public let number: UInt32

    /// The place of a kind in a block.
    public init(_ stack: Stack, block: Int, kind: UInt32) {
        precondition(block >= 0 && block < 1 << 11 && kind < 1 << 12, "a block or kind that no dropout place has")
        number = 0x1_0000 | stack.rawValue << 15 | UInt32(block) << 4 | (kind & 15) | (kind >> 4) << 24
    }

    /// A place of the backbone itself.
    public init(_ stack: Stack, block: Int, _ kind: DropoutKind) { self.init(stack, block: block, kind: kind.rawValue) }

    /// The place at the input of a group of projections.
    public init(inputOf group: ProjectionGroup) {
        self.init(group.stack, block: group.block, kind: group.kind.rawValue)
    }

    private init(number: UInt32) { self.number = number }

    /// The place of one of several sites that read the same input and draw their own masks; `position` is below 15.
    public func site(_ position: Int) -> DropoutPlace {
        precondition(position >= 0 && position < 15, "more sites at one place than it has numbers")
        return DropoutPlace(number: number + 0x10_0000 * UInt32(1 + position))
    }
}

/// The dropout places that every backbone may have.
public enum DropoutKind: UInt32, Sendable {
    case embedding = 0
    case finalNorm = 1
    case selfProbabilities = 2
    case selfOutput = 3
    case crossProbabilities = 4
    case crossOutput = 5
    case feedForwardInner = 6
    case feedForwardOutput = 7
}

extension Dropout {
    /// `y = drop(x)` for all rows of all segments; rows are numbered within their segment. Overwrites `y`.
    public func apply(
        _ x: Matrix, into y: MutableMatrix, _ rows: Segments, slots: UnsafePointer<UInt32>, place: DropoutPlace
    ) {
        for segment in 0..<rows.count {
            let (start, length) = (rows.start(segment), rows.length(segment))
            unsafe apply(
                x.rows(start, length), into: y.rows(start, length), slot: slots[rows.example(segment)],
                place: place.number)
        }
    }

    /// `y = a + drop(x)` for all rows of all segments. Overwrites `y`; `kept` gets a bit for each element that is kept.
    public func applyAdding(
        _ x: Matrix, to a: Matrix, into y: MutableMatrix, _ rows: Segments, slots: UnsafePointer<UInt32>,
        place: DropoutPlace, keeping kept: BitMask? = nil
    ) {
        for segment in 0..<rows.count {
            let (start, length) = (rows.start(segment), rows.length(segment))
            unsafe applyAdding(
                x.rows(start, length), to: a.rows(start, length), into: y.rows(start, length),
                slot: slots[rows.example(segment)], place: place.number, keeping: kept?.rows(start, length))
        }
    }
}
