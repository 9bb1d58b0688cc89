import Failures
import Foundation

@testable import Tasks
@testable import Tensors
@testable import Text

private func definition(
    _ format: TableFormat, _ fields: [Field], label: Column, group: Column? = nil, answers: AnswerSpace,
    labels: LabelMap = LabelMap(entries: [])
) -> TaskDefinition {
    do throws(Failure) {
        return try TaskDefinition(
            name: "t", format: format, fields: fields, label: label, group: group, answers: answers, labels: labels,
            metrics: answers == .texts ? [.bleu] : labels.entries.isEmpty ? [.pearson] : [.accuracy],
            splits: [SplitDefinition(.train, .files(["f"])), SplitDefinition(.validation, .files(["g"]))],
            leavesOutIncompleteRows: labels.entries.isEmpty)
    } catch {
        fatalError(error.message)
    }
}

private let classes = (AnswerSpace.classes(["0", "1"]), LabelMap(classes: ["no", "yes"], ignored: ["-"]))
private let grades = (
    AnswerSpace.grades(minimum: 0, maximum: 5, step: 0.2, decimals: 1), LabelMap(entries: [])
)

private let tables = [
    definition(
        .tsv(hasHeader: true), [Field("a"), Field("b")], label: .named("label"), answers: classes.0, labels: classes.1),
    definition(
        .tsv(hasHeader: false), [Field("a", column: .index(1))], label: .index(0), answers: grades.0, labels: grades.1),
    definition(
        .tsv(hasHeader: false, columns: 3), [Field("a", column: .index(2))], label: .index(0), answers: classes.0,
        labels: classes.1),
]

private let quotedTables = [
    definition(
        .csv(hasHeader: true), [Field("a"), Field("b")], label: .named("label"), answers: classes.0, labels: classes.1),
    definition(
        .csv(hasHeader: false, columns: 3), [Field("a", column: .index(2))], label: .index(0), answers: grades.0,
        labels: grades.1),
]

private let objects = [
    definition(.jsonLines, [Field("a"), Field("b")], label: .named("label"), answers: classes.0, labels: classes.1),
    definition(.jsonLines, [Field("a")], label: .named("label"), answers: grades.0, labels: grades.1),
    definition(
        .jsonLines, [Field("a.b"), Field("a.c.d"), Field("e")], label: .named("label"), answers: classes.0,
        labels: classes.1),
    definition(.jsonLines, [Field("a")], label: .named("label"), group: .named("b"), answers: .texts),
]

/// Reads every row, and reads each again from its position, like the tokeniser.
private func readRows(_ mapped: MappedFile, _ definition: TaskDefinition) {
    guard let file = try? TextFile(mapped), var reader = try? ExampleReader(file, definition) else { return }
    var again = reader
    var end = 0
    while let outcome = reader.next() {
        let position = reader.position
        hold(position.offset >= end && position.offset < file.bytes.count, "rows follow one another")
        end = position.offset + 1
        guard case .example(let gold) = outcome else { continue }
        if case .texts(let texts) = gold {
            hold(!texts.isEmpty && definition.answers == .texts, "an example has a text")
            for text in texts { hold(AnswerWords(text).f1(AnswerWords(text)) == 1, "a text is like itself") }
            hold(!BLEU.counts(texts[0], references: texts).contains { $0 < 0 }, "counts are counts")
            hold((0...1).contains(RougeL(texts[0]).fMeasure(RougeL(texts[texts.count - 1]))), "a share is a share")
        } else {
            let target = definition.answers.targetIndex(of: gold)
            hold((0..<definition.answers.targetCount).contains(target), "an answer has a target")
        }
        again.seek(to: position)
        hold(again.next() == outcome && again.source == reader.source, "a row reads the same again")
    }
}

func parseTSV(_ bytes: UnsafeRawBufferPointer) {
    let file = MappedFile(copying: bytes, path: "t")
    for table in tables { readRows(file, table) }
}

func parseCSV(_ bytes: UnsafeRawBufferPointer) {
    let file = MappedFile(copying: bytes, path: "c")
    for table in quotedTables { readRows(file, table) }
}

func parseGzip(_ bytes: UnsafeRawBufferPointer) {
    guard let file = try? TextFile(MappedFile(copying: bytes, path: "g.gz")) else { return }
    hold(file.bytes.count <= 1_032 * bytes.count, "a text is at most as long as gzip can make it")
    hold(file.textDigest == ContentDigest(of: file.bytes), "the digest is that of the text")
}

func parseJSONL(_ bytes: UnsafeRawBufferPointer) {
    let file = MappedFile(copying: bytes, path: "j")
    for object in objects { readRows(file, object) }
}

/// Parses the bytes as they are, and again with the correct sizes and digest, because otherwise no changed byte would get past
/// these.
func parseTokenCache(_ bytes: UnsafeRawBufferPointer) {
    readCache(MappedFile(copying: bytes, path: "t"))
    let start = TokenCacheFormat.prologueSize
    guard bytes.count >= start else { return }
    let content = UnsafeRawBufferPointer(rebasing: bytes[start...])
    // The size is a multiple of the data's alignment, because otherwise few changes would leave the data aligned.
    let stated = Int(bytes.loadUnaligned(fromByteOffset: 24, as: UInt16.self))
    let header = min(stated / TokenCacheFormat.alignment * TokenCacheFormat.alignment, content.count)
    let prologue = TokenCacheFormat.prologue(
        fileSize: bytes.count, headerSize: header, key: ContentDigest(of: "key"), content: ContentDigest(of: content))
    (prologue + content).withUnsafeBytes { readCache(MappedFile(copying: $0, path: "t")) }
}

/// Reads everything that an accepted cache gives access to.
private func readCache(_ file: MappedFile) {
    guard let tasks = try? TokenCacheReader(file).contents().tasks else { return }
    var sum = 0
    for task in tasks {
        hold(task.targetIDs.count == task.answers.targetCount, "every answer has a target")
        for split in task.splits {
            for index in 0..<split.count {
                let (source, target) = (split.source(index), split.target(index))
                hold(
                    !source.isEmpty && source.count <= split.longestSource, "sources are as long as they are said to be"
                )
                hold(
                    !target.isEmpty && target.count <= task.longestTarget, "targets are as long as they are said to be")
                sum = source.reduce(sum) { $0 &+ Int($1) } &+ split.origin(index).line
                sum = target.reduce(sum) { $0 &+ Int($1) }
                hold(task.files.indices.contains(split.origin(index).file), "an origin is a file")
                if case .texts(let texts) = split.gold(index) { hold(!texts.isEmpty, "an example has a text") }
                hold(split.group(index).map { $0 < split.count } ?? true, "a group is one of the split's")
            }
        }
        sum = task.report.files.reduce(sum) { $0 + $1.badRows + $1.incompleteRows + $1.ignoredRows }
    }
}

func parseVocabularyOutline(_ bytes: UnsafeRawBufferPointer) {
    _ = ModelOutline.isWhole(bytes)
    _ = NormalisationTable.isSound(bytes)
}

func parseVocabulary(_ bytes: UnsafeRawBufferPointer) {
    guard let vocabulary = try? Vocabulary(MappedFile(copying: bytes, path: "v")) else { return }
    for text in ["", "a ab  b", "é\u{301} 漢 \u{2581}\0"] {
        guard let ids = try? vocabulary.encode(text) else { continue }
        hold(ids.allSatisfy { $0 >= 0 && Int($0) < vocabulary.pieceCount }, "ids are of pieces")
        _ = try? vocabulary.decode(ids)
    }
}

/// The pieces that a `spiece.model` with ten pieces would have, for files that name tokens.
private var pieces: AddedTokens.Pieces {
    AddedTokens.Pieces(
        count: 10, name: { id throws(Failure) in ["<pad>", "</s>", "<unk>", "\u{2581}the"][min(Int(id), 3)] },
        id: { $0 == "\u{2581}the" ? 3 : nil },
        normaliser: TextNormaliser(model: UnsafeRawBufferPointer(start: nil, count: 0)))
}

func parseTokenizerFiles(_ bytes: UnsafeRawBufferPointer) {
    let kinds = TokenizerFiles.File.allCases
    guard let first = bytes.first else { return }
    var files = TokenizerFiles()
    let rest = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
    guard (try? files.read(rest, as: kinds[Int(first) % kinds.count])) != nil,
        let tokens = try? AddedTokens(files, pieces: pieces, rows: 200)
    else { return }
    for (id, token) in tokens.byID { hold(id == token.id && (0..<200).contains(id), "ids are of rows") }
    // The file itself contains every token that it names.
    var end = 0
    _ = try? tokens.forEachPart(of: bytes) { part in
        switch part {
        case .text(let text, let origins):
            hold(!text.isEmpty && origins(0) >= end && origins(text.count) <= bytes.count, "parts follow one another")
            end = origins(text.count)
        case .token(let token, let place):
            hold(place > end && place <= bytes.count && tokens.byID[token.id] != nil, "a token stands in the text")
            end = place
        }
    }
}
