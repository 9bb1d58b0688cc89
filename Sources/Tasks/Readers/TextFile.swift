import Failures
import Tensors

/// A file of a task: mapped, or, if it is packed with gzip, unpacked into memory that holds its text once.
///
/// Safe except for `bytes`.
@safe final class TextFile: @unchecked Sendable {
    let path: String
    /// The text; it is valid while the object lives.
    let bytes: UnsafeRawBufferPointer
    /// The digest of the file as it is on the disk.
    let digest: ContentDigest
    /// The digest of the text.
    let textDigest: ContentDigest
    /// The mapping that `bytes` points into; nil when the text was unpacked.
    private let file: MappedFile?

    /// Opens a file. Throws `inputMissing` when it cannot be read, `badData` when its name or its first bytes say that it is packed
    /// and it cannot be unpacked completely.
    convenience init(path: String) throws(Failure) {
        try self.init(MappedFile(path: path))
    }

    /// The text of a mapped file. What is packed is seen in the bytes, since names are not always right.
    init(_ file: MappedFile) throws(Failure) {
        path = file.path
        digest = withExtendedLifetime(file) { unsafe ContentDigest(of: file.bytes) }
        guard unsafe GzipText.isPacked(file.bytes) else {
            guard !path.hasSuffix(".gz") else {
                throw Failure(
                    .badData,
                    "\(path.shown) is named .gz but is no gzip file; pack it with gzip, or give it the name of a plain file"
                )
            }
            (self.file, textDigest) = (file, digest)
            unsafe bytes = unsafe file.bytes
            return
        }
        self.file = nil
        let text = try unsafe withExtendedLifetime(file) { () throws(Failure) in
            try unsafe GzipText(file.bytes, file.path).unpacked()
        }
        unsafe bytes = UnsafeRawBufferPointer(text)
        textDigest = unsafe ContentDigest(of: bytes)
    }

    deinit {
        guard file == nil, let base = unsafe bytes.baseAddress else { return }
        unsafe Memory.free(UnsafeMutableRawPointer(mutating: base))
    }
}
