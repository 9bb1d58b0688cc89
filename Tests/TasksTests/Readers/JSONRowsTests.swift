import Failures
import TestSupport
import Testing

@testable import Tasks

@Suite struct JSONRowsTests {
    let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func reader(_ text: String, _ columns: [String]) throws -> JSONRowsReader {
        try JSONRowsReader(
            TextFile(path: directory.write("r.jsonl", text)), rows: "p.qs.as", columns: columns.map(Column.named))
    }

    private func all(_ text: String, _ columns: [String]) throws -> [String] {
        var reader = try reader(text, columns)
        var record = Record(valueCount: columns.count)
        var rows: [String] = []
        while let outcome = reader.next(&record) {
            let place = "\(record.position.line)/\(record.position.part)"
            guard outcome == .complete else {
                rows.append("\(place): \(outcome)")
                continue
            }
            let values = columns.indices.map { String(decoding: record[$0], as: UTF8.self) }
            rows.append("\(place): \(values.joined(separator: "|"))")
        }
        return rows
    }

    private static let two =
        #"{"p": {"qs": [{"q": "Q1", "as": [{"t": "a"}, {"t": "b"}]}, {"as": [{"t": "c"}], "q": "Q2"}], "t": "T"}, "x": 1}"#

    @Test func `values outside of lists belong to all rows in them, wherever they stand`() throws {
        let read = try all(Self.two + "\n" + Self.two + "\n", ["p.qs.as.t", "p.qs.q", "p.t", "x"])
        #expect(
            read == [
                "1/0: a|Q1|T|1", "1/1: b|Q1|T|1", "1/2: c|Q2|T|1", "2/0: a|Q1|T|1", "2/1: b|Q1|T|1", "2/2: c|Q2|T|1",
            ])
    }

    @Test func `the value of a list is the number of its element, another one in each line`() throws {
        let read = try all(Self.two + "\n" + Self.two, ["p.qs", "p.qs.as"])
        #expect(
            read.map { $0.drop { $0 != " " }.dropFirst() } == [
                "1.0|1.0.0", "1.0|1.0.1", "1.1|1.1.0", "2.0|2.0.0", "2.0|2.0.1", "2.1|2.1.0",
            ])
    }

    @Test func `rows are read again from their positions in any order`() throws {
        var reader = try reader(Self.two + "\n{}\n" + Self.two, ["p.qs.as.t"])
        var record = Record(valueCount: 1)
        var places: [(RowPosition, RowOutcome, [UInt8])] = []
        while let outcome = reader.next(&record) {
            places.append((record.position, outcome, outcome == .complete ? Array(record[0]) : []))
        }
        #expect(places.count == 7)
        for (position, outcome, value) in places.reversed() + places {
            reader.seek(to: position)
            #expect(reader.next(&record) == outcome && record.position == position)
            if outcome == .complete { #expect(Array(record[0]) == value) }
        }
    }

    @Test(arguments: [
        ("{}", "the object has no list \\\"p.qs.as\\\""), ("[1]", "not a JSON object"),
        (#"{"p": {"qs": [{"as": [1]}]}}"#, "an element of \\\"p.qs.as\\\" is no object"),
        (#"{"p": {"qs": [{"as": []}]}} x"#, "text after the object"),
        (#"{"p": {"qs": [{"as": [{"t": "a", "t": "b"}]}]}}"#, "the key \\\"t\\\" occurs twice"),
        (#"{"p": {"qs": [{"as": [{"u": "a"}]}]}}"#, "the row has no value for \\\"p.qs.as.t\\\""),
        (#"{"p": {"qs": [{"as": [{"t": null}]}]}}"#, "the row has no value for \\\"p.qs.as.t\\\""),
    ])
    func `what has no rows is refused, and the lines behind it are read`(line: String, reason: String) throws {
        let read = try all(line + "\n" + Self.two, ["p.qs.as.t"])
        #expect(read.count == 4 && read[0].hasPrefix("1/0: ") && read[0].contains(reason), "\(read)")
    }
}
