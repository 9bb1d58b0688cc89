import Failures
import Foundation
import Tensors

extension TokenCacheBuilder {
    /// Writes the file to a temporary path beside `path`, synchronises it and renames it.
    func write(_ content: consuming TokenCacheContent, to path: String) throws(Failure) {
        let (json, dataSize) = try content.placedHeader()
        var digest = ContentDigest.Accumulator()
        unsafe json.withUnsafeBytes { unsafe digest.update($0) }
        try unsafe content.emit { (bytes) throws(Failure) in unsafe digest.update(bytes) }
        let prologue = TokenCacheFormat.prologue(
            fileSize: TokenCacheFormat.prologueSize + json.count + dataSize, headerSize: json.count, key: key,
            content: digest.digest)
        // Several jobs on several hosts may build the same cache in a shared directory.
        let directory = (path as NSString).deletingLastPathComponent
        TemporaryFile.removeStale(in: directory.isEmpty ? "." : directory, prefix: "tokens-")
        let temporary = TemporaryFile.path(beside: path)
        do throws(Failure) {
            let file = try DurableFile(creating: temporary, exclusively: true)
            try file.write(prologue)
            try file.write(json)
            try unsafe content.emit { (bytes) throws(Failure) in try unsafe file.write(bytes) }
            _ = try file.finish()
            try DurableFile.rename(temporary, to: path)
        } catch {
            unsafe unlink(temporary)
            throw error
        }
    }
}
