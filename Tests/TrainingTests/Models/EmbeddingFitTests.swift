import Testing

@testable import Training

@Suite struct EmbeddingFitTests {
    @Test func `the embeddings of real models fit their vocabularies`() {
        // Ids and rows of T5 and FLAN (with and without listed sentinels), mT5, UL2, ke-t5, ViT5 and the embedded example.
        for (ids, rows) in [
            (32_100, 32_128), (32_000, 32_128), (32_000, 32_100), (250_100, 250_112), (64_000, 64_128),
            (36_000, 36_096),
            (480, 512), (30_000, 30_000),
        ] {
            #expect(EmbeddingFit(ids: ids, rows: rows) == .fits)
        }
    }

    @Test func `an embedding that was enlarged is worth a warning, another model's is refused`() {
        #expect(EmbeddingFit(ids: 32_100, rows: 32_100 + 1024) == .fits)
        #expect(EmbeddingFit(ids: 32_100, rows: 40_320) == .hasSpare(8_220))
        for (ids, rows) in [(32_000, 250_112), (32_100, 64_128), (150, 32_128), (32_000, 48_000)] {
            #expect(EmbeddingFit(ids: ids, rows: rows) == .belongsToAnother, "\(ids) \(rows)")
        }
    }

    @Test func `a new embedding fits`() {
        for pieces in [4, 150, 480, 32_000, 250_100] {
            let rows = EmbeddingFit.rows(pieces: pieces)
            #expect(rows % 128 == 0 && rows >= pieces + 100 && EmbeddingFit(ids: pieces, rows: rows) == .fits)
        }
        #expect(EmbeddingFit.rows(pieces: 32_000) == 32_128)
    }
}
