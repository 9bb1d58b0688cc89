import Kernels
import Tensors

/// T5's dropout places; each draws masks of its own.
///
/// `place = 0x10000 + stack * 0x8000 + block * 16 + kind`; the kinds from 8 on are the inputs of the low-rank path
/// (`GroupKind`). Places start beyond the purposes of `RandomStream`, so dropout shares no counter with other draws.
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

/// The number of a dropout place.
public func dropoutPlace(_ stack: Stack, block: Int, kind: UInt32) -> UInt32 {
    0x1_0000 + stack.rawValue * 0x8000 + UInt32(block) * 16 + kind
}

extension Dropout {
    /// `y = drop(x)` for all rows of all segments; a row's number counts inside its segment. Overwrites `y`.
    public func apply(_ x: Matrix, into y: Matrix, _ rows: Segments, slots: UnsafePointer<UInt32>, place: UInt32) {
        for segment in 0..<rows.count {
            let slot = slots[rows.example(segment)]
            for row in 0..<rows.length(segment) {
                let r = rows.start(segment) + row
                apply(x.row(r), into: y.row(r), width: x.columns, row: row, slot: slot, place: place)
            }
        }
    }

    /// `y = a + drop(x)` for all rows of all segments. Overwrites `y`.
    public func applyAdding(
        _ x: Matrix, to a: Matrix, into y: Matrix, _ rows: Segments, slots: UnsafePointer<UInt32>, place: UInt32
    ) {
        for segment in 0..<rows.count {
            let slot = slots[rows.example(segment)]
            for row in 0..<rows.length(segment) {
                let r = rows.start(segment) + row
                applyAdding(
                    x.row(r), to: a.row(r), into: y.row(r), width: x.columns, row: row, slot: slot, place: place)
            }
        }
    }
}
