/// The ids of the special tokens that every T5 has.
enum SpecialIDs {
    /// Pads a batch and starts the decoder.
    static let padding: Int32 = 0
    /// Ends a text.
    static let end: Int32 = 1
    /// Stands for text that no piece covers.
    static let unknown: Int32 = 2
}
