import CSentencePiece
import Failures

/// A loaded SentencePiece model, freed with this object.
///
/// Safe except for `pointer`, which is valid as long as this object; every use of it is marked.
@safe final class PieceModel: @unchecked Sendable {
    // Unchecked: the model behind the pointer is never changed.
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        unsafe self.pointer = pointer
    }

    deinit {
        unsafe csp_model_destroy(pointer)
    }

    /// The name of a piece as the model has it, with "\u{2581}" for a space; `id` must be the id of a piece.
    func name(of id: Int32) throws(Failure) -> String {
        var name: [CChar] = []
        var length = 64
        repeat {
            name = [CChar](repeating: 0, count: length)
            try unsafe name.withUnsafeMutableBufferPointer { (buffer) throws(Failure) in
                try unsafe callLibrary("cannot name piece \(id)", refusal: .internal) { message in
                    unsafe csp_piece_name(pointer, id, buffer.baseAddress, buffer.count, &length, message)
                }
            }
        } while length > name.count
        return String(decoding: name[..<length].lazy.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// The id of the piece with that name; nil when there is none.
    func id(of name: String) -> Int32? {
        var name = name
        let id = name.withUTF8 { bytes in
            unsafe csp_piece_id(
                pointer, UnsafeRawPointer(bytes.baseAddress)?.assumingMemoryBound(to: CChar.self), bytes.count)
        }
        return unsafe id == csp_unk_id(pointer) || id < 0 ? nil : id
    }
}
