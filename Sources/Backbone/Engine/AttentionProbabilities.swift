import Kernels
import Tensors

/// The probabilities of an attention before dropout, and which of them the dropout kept: example by example and head by head
/// `[queries, keys]`, each without gaps.
///
/// Safe: the memory is that of a workspace and valid as long as the pass. No part goes beyond the probabilities, and the bits are laid
/// out for the same parts.
@safe public struct AttentionProbabilities {
    private var values: MutableMatrix
    private var bits: UnsafeMutablePointer<UInt8>?

    /// `values: [1, numbers of all parts]`, and as many bits as the parts' masks take; nil when nothing is dropped.
    init(values: MutableMatrix, bits: UnsafeMutablePointer<UInt8>?) {
        self.values = values
        unsafe self.bits = bits
    }

    /// The next part, `[queries, keys]`, and its bits as one row.
    mutating func next(_ queries: Int, _ keys: Int) -> (p: MutableMatrix, kept: BitMask?) {
        let count = queries * keys
        let p = unsafe MutableMatrix(values.columns(0, count).base, rows: queries, columns: keys)
        values = values.columns(count, values.columns - count)
        guard let own = unsafe bits else { return (p, nil) }
        unsafe bits = own + BitMask.byteCount(rows: 1, columns: count)
        return unsafe (p, BitMask(own, rows: 1, columns: count))
    }
}
