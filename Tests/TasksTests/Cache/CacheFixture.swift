import Tasks
import TestSupport
import Text

/// All tasks of the GLUE fixture with a small vocabulary.
struct CacheFixture {
    let glue: GLUEFixture
    let directory: TemporaryDirectory
    let vocabulary: Vocabulary

    init() throws {
        glue = try GLUEFixture()
        directory = try TemporaryDirectory()
        let path = directory.file("spiece.model")
        // Every digit, letter and mark in the files and answers, and enough words for the number of pieces.
        let letters = (UInt8(ascii: "!")...UInt8(ascii: "~")).map { String(Unicode.Scalar($0)) }
        let sentences = GLUEFixture.files.keys.sorted().flatMap { key in
            GLUEFixture.files[key]!.split(whereSeparator: \.isNewline).prefix(40).map(String.init)
        }
        try VocabularyTrainer.train(sentences: letters + sentences, pieces: 120, to: path)
        vocabulary = try Vocabulary(modelPath: path)
    }

    func tasks(_ names: [String] = GLUE.names) throws -> [TaskDefinition] {
        try GLUE.tasks(names, directory: glue.path)
    }

    func task(_ name: String) throws -> TaskDefinition {
        try GLUE.task(name, directory: glue.path)
    }

    /// Opens the cache of all tasks; builds it first if it is absent.
    func open(options: TokenCacheOptions = TokenCacheOptions(), threads: Int = 1) throws -> TokenCache {
        try TokenCache.openOrBuild(
            tasks: tasks(), vocabulary: vocabulary, options: options, directory: directory.path, threads: threads)
    }
}
