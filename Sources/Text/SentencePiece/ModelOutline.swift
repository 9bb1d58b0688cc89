/// Checks a serialised SentencePiece model before the library may read it.
///
/// A model that is cut at the end of a piece still parses as a protocol buffer; the library would then continue with fewer
/// pieces and without text normalisation. The library also follows the normalisation table without checking its bounds.
/// Source: sentencepiece_model.proto (ModelProto: 1 pieces, 2 trainer_spec, 3 normalizer_spec, 5 denormalizer_spec;
/// NormalizerSpec: 2 precompiled_charsmap).
enum ModelOutline {
    /// Whether the model has pieces, both settings and sound tables.
    static func isWhole(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var fields: Set<UInt64> = []
        var isSound = true
        let isMessage = unsafe ProtocolBuffer.forEachDelimitedField(bytes) { number, content in
            fields.insert(number)
            guard number == 3 || number == 5 else { return }
            let isSpecification = unsafe ProtocolBuffer.forEachDelimitedField(content) { number, table in
                if unsafe number == 2 && !NormalisationTable.isSound(table) { isSound = false }
            }
            isSound = isSound && isSpecification
        }
        return isMessage && isSound && fields.isSuperset(of: [1, 2, 3])
    }
}
