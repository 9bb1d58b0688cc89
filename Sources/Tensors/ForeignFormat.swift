/// Formats that users give in place of safetensors. They are recognised by their first bytes, so that the refusal can say what
/// to do.
enum ForeignFormat {
    /// PyTorch's zip archive around a pickle, or a bare pickle.
    case pickle
    /// The text that Git leaves in place of a large file.
    case gitLFSPointer
    /// A page of a download site.
    case webPage

    /// Recognises the format, nil when it may be safetensors.
    init?(_ file: UnsafeRawBufferPointer) {
        func starts(_ prefix: [UInt8]) -> Bool { unsafe file.starts(with: prefix) }
        // Read as the length of a header, the first eight bytes of these formats are far beyond what safetensors allows.
        if starts([0x50, 0x4B, 0x03, 0x04]), file.count > 8, unsafe file[6] | file[7] | file[4] | file[5] != 0 {
            self = .pickle
        } else if file.count > 2, unsafe file[0] == 0x80, unsafe (2...5).contains(file[1]),
            unsafe file.count < 9 || file[8] != 0x7B
        {
            self = .pickle
        } else if starts(Array("version https://git-lfs".utf8)) {
            self = .gitLFSPointer
        } else if starts(Array("<!DOCTYPE".utf8)) || starts(Array("<!doctype".utf8)) || starts(Array("<html".utf8)) {
            self = .webPage
        } else {
            return nil
        }
    }

    /// What the file is and what to do about it; follows the path in a sentence.
    var explanation: String {
        switch self {
        case .pickle:
            "is a pickled PyTorch file, which is not read because loading one can run code; "
                + conversionRemedy
        case .gitLFSPointer:
            "is a Git LFS pointer and not the weights themselves; run `git lfs pull` where it was cloned"
        case .webPage:
            "is a web page and not a safetensors file; download the file itself"
        }
    }
}

/// How to turn a pickled checkpoint into safetensors.
let conversionRemedy =
    "convert it with `python3 -c \"from transformers import T5ForConditionalGeneration as M; "
    + "M.from_pretrained('OLD').save_pretrained('NEW', safe_serialization=True)\"` (OLD and NEW are directories)"
