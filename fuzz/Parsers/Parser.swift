/// The parsers of all bytes that this program does not write itself, or that may have changed after it wrote them.
///
/// Each accepts any bytes: it either refuses them with a `Failure`, or its result can be used completely. A trap, a read beyond
/// the bytes, a promise that does not hold (`hold`), or unbounded time or memory is a finding.
enum Parser: String, CaseIterable, Sendable {
    /// A safetensors file.
    case safetensors
    /// `model.safetensors.index.json`.
    case shardIndex = "shard-index"
    /// `config.json` of a model.
    case modelConfiguration = "model-configuration"
    /// `unolora_config.json` of an adapter.
    case adapterConfiguration = "adapter-configuration"
    /// `config.yaml` of a run.
    case runConfiguration = "run-configuration"
    /// Rows of a TSV file.
    case tsv
    /// Rows of a CSV file.
    case csv
    /// Rows of a JSONL file.
    case jsonl
    /// A file packed with gzip.
    case gzip
    /// A token cache.
    case tokenCache = "token-cache"
    /// `MANIFEST.json` of a checkpoint.
    case manifest
    /// `state.json` of a checkpoint.
    case state
    /// The file of a snapshot.
    case snapshot
    /// `metrics.jsonl` of a run that continues.
    case metrics
    /// `STATUS.json` of a run.
    case status
    /// Names of files in a run directory, one per line; they may include TensorBoard's.
    case eventNames = "event-names"
    /// `spiece.model`, up to the point at which the library reads it.
    case vocabularyOutline = "vocabulary-outline"
    /// `spiece.model` and the library that reads it.
    case vocabulary
    /// The tokenizer's files beside it: the first byte says which file, its content follows.
    case tokenizerFiles = "tokenizer-files"

    /// Parses bytes.
    func callAsFunction(_ bytes: UnsafeRawBufferPointer) {
        switch self {
        case .safetensors: parseSafetensors(bytes)
        case .shardIndex: parseShardIndex(bytes)
        case .modelConfiguration: parseModelConfiguration(bytes)
        case .adapterConfiguration: parseAdapterConfiguration(bytes)
        case .runConfiguration: parseRunConfiguration(bytes)
        case .tsv: parseTSV(bytes)
        case .csv: parseCSV(bytes)
        case .jsonl: parseJSONL(bytes)
        case .gzip: parseGzip(bytes)
        case .tokenCache: parseTokenCache(bytes)
        case .manifest: parseManifest(bytes)
        case .state: parseState(bytes)
        case .snapshot: parseSnapshot(bytes)
        case .metrics: parseMetrics(bytes)
        case .status: parseStatus(bytes)
        case .eventNames: parseEventNames(bytes)
        case .vocabularyOutline: parseVocabularyOutline(bytes)
        case .vocabulary: parseVocabulary(bytes)
        case .tokenizerFiles: parseTokenizerFiles(bytes)
        }
    }
}

/// Ends the process when a promise of a parser does not hold.
func hold(_ promise: Bool, _ text: @autoclosure () -> String) {
    if !promise { fatalError("a parser does not hold its promise: \(text())") }
}
