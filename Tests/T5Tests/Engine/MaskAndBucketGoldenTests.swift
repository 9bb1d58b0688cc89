import Backbone
import Foundation
import Kernels
import Tensors
import Testing

@testable import T5

/// Tables made by other programs; `Goldens/README.md` says which.
enum Goldens {
    static let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Goldens")

    static func table<Row: Decodable>(_ name: String, of type: Row.Type) throws -> [String: Row] {
        try JSONDecoder().decode([String: Row].self, from: Data(contentsOf: directory.appendingPathComponent(name)))
    }
}

@Suite struct MaskAndBucketGoldenTests {
    private struct Buckets: Decodable {
        let buckets: Int
        let distance: Int
        let bidirectional: Bool
        let first: Int
        let bucket: [Int]
    }

    private struct Mask: Decodable {
        let seed: String
        let step: UInt32
        let slot: UInt32
        let place: UInt32
        let rows: Int
        let width: Int
        let rate: Double
        let kept: [String]
    }

    @Test func `relative positions fall into transformers' buckets`() throws {
        let table = try Goldens.table("relative_buckets.json", of: Buckets.self)
        #expect(table.count == 4)
        for (name, row) in table {
            let found = row.bucket.indices.map {
                PositionBuckets.bucket(
                    row.first + $0, bidirectional: row.bidirectional, buckets: row.buckets,
                    maximumDistance: row.distance)
            }
            #expect(found == row.bucket, "\(name)")
        }
    }

    @Test func `dropout masks are those of another program`() throws {
        let table = try Goldens.table("masks.json", of: Mask.self)
        #expect(table.count == 4)
        for (name, mask) in table {
            let dropout = Dropout(seed: try #require(UInt64(mask.seed)), step: mask.step, rate: mask.rate)
            let ones = [Float](repeating: 1, count: mask.width)
            var y = ones
            for row in 0..<mask.rows {
                ones.withUnsafeBufferPointer { x in
                    y.withUnsafeMutableBufferPointer { y in
                        dropout.apply(
                            Matrix(x.baseAddress!, rows: 1, columns: mask.width),
                            into: MutableMatrix(y.baseAddress!, rows: 1, columns: mask.width), first: row,
                            slot: mask.slot,
                            place: mask.place)
                    }
                }
                #expect(String(y.map { $0 == 0 ? "0" : "1" }) == mask.kept[row], "\(name) row \(row)")
            }
        }
    }

    @Test func `no two places of dropout are the same number`() {
        var places: Set<UInt32> = []
        var count = 0
        for stack in Stack.allCases {
            for block in [0, 1, 2, 999, 2047] {
                for kind in Array(0..<40) + [4095] as [UInt32] {
                    let place = DropoutPlace(stack, block: block, kind: kind)
                    places.insert(place.number)
                    for site in 0..<15 { places.insert(place.site(site).number) }
                    count += 16
                }
            }
        }
        #expect(places.count == count)
        // Earlier versions drew with these numbers.
        #expect(DropoutPlace(.decoder, block: 3, .selfOutput).number == 0x1_0000 + 0x8000 + 3 * 16 + 3)
        #expect(DropoutPlace(.encoder, block: 2, kind: 9).site(2).number == 0x1_0000 + 2 * 16 + 9 + 0x30_0000)
    }

    @Test func `the bias of a query starts at key 0 and follows the distance`() {
        let tiny = TinyT5(.v10)
        let bias = tiny.model.bias(.decoder)
        for query in [0, 1, 9, 31] {
            for key in 0...query {
                let nearer = bias.row(head: 1, query: query - key)[0]
                #expect(bias.row(head: 1, query: query)[key] == nearer)
            }
        }
        #expect(bias.maximumLength == 32)
    }
}
