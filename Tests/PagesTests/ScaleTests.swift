import Testing

@testable import Pages

@Suite struct ScaleTests {
    @Test func `round numbers contain the values, and places are in proportion`() {
        let scale = Scale(.linear, covering: [0.13, 0.87, 0.4], to: (100, 0))
        #expect(scale.ticks.map(\.text) == ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"])
        #expect(scale.place(0) == 100 && scale.place(1) == 0 && (scale.place(0.25) - 75).magnitude < 1e-9)
        // What is outside is at the ends.
        #expect(scale.place(-3) == 100 && scale.place(7) == 0)
    }

    @Test(arguments: [
        ([-0.02, 0.07], ["\u{2212}0.02", "0", "0.02", "0.04", "0.06", "0.08"]),
        ([0, 12_000], ["0", "5k", "10k", "15k"]), ([3, 3], ["2", "3", "4"]),
        ([], ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
    ])
    func `ticks are what people write`(values: [Double], texts: [String]) {
        let found = Scale(.linear, covering: values, to: (0, 100), count: 4).ticks.map(\.text)
        if values == [3, 3] { #expect(found.contains("3")) } else { #expect(found.count >= 3 && found.count <= 8) }
        if values.count == 2, values[1] == 12_000 { #expect(found == texts) }
        if values.first == -0.02 { #expect(found.contains("\u{2212}0.02") && found.contains("0")) }
    }

    @Test func `powers of ten have equal distances`() {
        let scale = Scale(.logarithmic, covering: [0.002, 30, 0, -1, .nan], to: (0, 100))
        #expect(scale.ticks.map(\.text) == ["0.001", "0.01", "0.1", "1", "10", "100"])
        #expect((scale.place(1) - 60).magnitude < 1e-9)
    }

    @Test func `values that are no numbers do not decide a scale`() {
        let scale = Scale(.linear, covering: [.nan, 1, .infinity, 2], to: (0, 1))
        #expect(scale.domain == 1...2)
    }

    @Test func `numbers have their sign, their digits and no sign of nothing`() {
        #expect(NumberText.fixed(-0.001, 2) == "0.00" && NumberText.fixed(-0.126, 2) == "\u{2212}0.13")
        #expect(NumberText.fixed(nil, 1) == "\u{2013}" && NumberText.short(.nan) == "NaN")
        #expect(NumberText.short(0.000123456) == "0.000123" && NumberText.place(12.3456) == "12.35")
        #expect(NumberText.place(-0.001) == "0" && NumberText.place(123_456.789) != "")
    }
}
