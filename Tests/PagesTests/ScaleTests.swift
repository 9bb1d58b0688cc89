import Testing

@testable import Pages

@Suite struct ScaleTests {
    @Test func `round numbers contain the values, and places are in proportion`() {
        let scale = Scale(.linear, covering: [0.13, 0.87, 0.4], to: (100, 0))
        #expect(scale.ticks.map(\.text) == ["0", "0.2", "0.4", "0.6", "0.8", "1.0"])
        #expect(scale.place(0) == 100 && scale.place(1) == 0 && (scale.place(0.25) - 75).magnitude < 1e-9)
        // What is outside is at the ends.
        #expect(scale.place(-3) == 100 && scale.place(7) == 0)
    }

    @Test(arguments: [
        ([-0.021, 0.07], ["\u{2212}0.05", "0", "0.05", "0.10"]),
        ([0, 12_000], ["0", "5k", "10k", "15k"]),
        ([-3e6, 1e6], ["\u{2212}3M", "\u{2212}2M", "\u{2212}1M", "0", "1M"]),
        ([], ["0", "0.5", "1.0"]),
    ])
    func `ticks are what people write`(values: [Double], texts: [String]) {
        #expect(Scale(.linear, covering: values, to: (0, 100), count: 4).ticks.map(\.text) == texts)
    }

    @Test func `a single value has room around it`() {
        let scale = Scale(.linear, covering: [3, 3], to: (0, 100))
        #expect(scale.domain.lowerBound < 3 && scale.domain.upperBound > 3)
    }

    @Test func `powers of ten have equal distances`() {
        let scale = Scale(.logarithmic, covering: [0.002, 30, 0, -1, .nan], to: (0, 100))
        #expect(scale.ticks.map(\.text) == ["0.001", "0.01", "0.1", "1", "10", "100"])
        #expect((scale.place(1) - 60).magnitude < 1e-9)
    }

    @Test func `few powers of ten have more ticks`() {
        let scale = Scale(.logarithmic, covering: [0.3, 4.1], to: (0, 100))
        #expect(scale.ticks.map(\.text) == ["0.2", "0.5", "1", "2", "5"])
        #expect(scale.place(0.2) == 0 && (scale.place(5) - 100).magnitude < 1e-9)
        let single = Scale(.logarithmic, covering: [3, 3], to: (0, 100))
        #expect(single.domain == 2...5)
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
