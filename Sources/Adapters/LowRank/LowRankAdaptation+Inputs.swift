import Backbone
import Kernels
import Tensors

/// The inputs of a group after dropout. They are made some rows at a time where they are used, so that they stay in the cache and no
/// copy of a whole input passes through the memory. A library that multiplies by wide adapters gets all rows at once: it sums
/// the last ones of a product in another order, so the blocks would decide bits.
extension LowRankAdaptation {
    /// How many inputs after dropout the sites of a group read: one, or one for each site when each draws its own mask or, per task,
    /// when neighbouring sites' A's are not adjacent in memory.
    func inputs(_ group: ProjectionGroup) -> Int {
        sharesMask && options.method != .loraPerTask ? 1 : layout.groups[group.index].sites.count
    }

    /// The sites that read input `number`.
    func readers(_ group: ProjectionGroup, _ number: Int) -> Range<Int> {
        inputs(group) == 1 ? 0..<layout.groups[group.index].sites.count : number..<number + 1
    }

    /// Whether all sites of a group read the input after the same mask, or none.
    private var sharesMask: Bool { options.dropoutMask == .perInput || dropout == nil }

    /// Memory for a bit for each element of a group's input, once for each mask; nil when nothing is dropped.
    func masks(_ group: ProjectionGroup, _ input: Matrix, _ workspace: Workspace) -> BitMask? {
        guard dropout != nil else { return nil }
        let rows = input.rows * (sharesMask ? 1 : layout.groups[group.index].sites.count)
        return BitMask(in: workspace, rows: rows, columns: input.columns)
    }

    /// The bits of some rows of input `number`.
    func mask(
        _ kept: BitMask, _ group: ProjectionGroup, _ number: Int, _ block: Range<Int>, of input: Matrix
    ) -> BitMask {
        kept.rows((sharesMask ? 0 : number * input.rows) + block.lowerBound, block.count)
    }

    /// The rows of a run in blocks that `someRows` has room for.
    func blocks(_ run: TaskRuns.Run, _ width: Int) -> RowBlocks {
        RowBlocks(
            rows: run.start..<run.start + run.count,
            size: someRows == nil || takesWholeInputs ? run.count : RowBlocks.rows(ofWidth: width))
    }

    /// Memory for some rows of an input or its gradient.
    func rowsOfInput(_ count: Int, _ width: Int) -> MutableMatrix {
        guard let someRows else { preconditionFailure("a pass without dropout and backward has no rows of inputs") }
        return unsafe MutableMatrix(someRows.columns(0, count * width).base, rows: count, columns: width)
    }

    /// Some rows of input `number`: after dropout in the memory of `rowsOfInput`, or the input itself when nothing is dropped. Where
    /// the mask is not known yet it is drawn, and `kept` gets its bits.
    func dropped(
        _ group: ProjectionGroup, _ number: Int, _ input: Matrix, _ block: Range<Int>, _ kept: BitMask?, draws: Bool,
        _ rows: Segments, _ context: MicroBatchContext
    ) -> Matrix {
        let x = input.rows(block.lowerBound, block.count)
        guard let dropout, let kept else { return x }
        let y = rowsOfInput(block.count, input.columns)
        let mask = mask(kept, group, number, block, of: input)
        guard draws, !sharesMask || number == 0 else {
            mask.apply(x, scale: dropout.scale, into: y)
            return y.readOnly
        }
        let site = layout.groups[group.index].sites[number]
        let place = sharesMask ? DropoutPlace(inputOf: group) : DropoutPlace(inputOf: group).site(site.position)
        for segment in 0..<rows.count {
            let (start, length) = (rows.start(segment), rows.length(segment))
            let own = block.clamped(to: start..<start + length)
            guard !own.isEmpty else { continue }
            let first = own.lowerBound - block.lowerBound
            unsafe dropout.apply(
                x.rows(first, own.count), into: y.rows(first, own.count), first: own.lowerBound - start,
                slot: context.slots[rows.example(segment)], place: place.number, keeping: mask.rows(first, own.count))
        }
        return y.readOnly
    }
}
