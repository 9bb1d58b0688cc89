import Studies
import Testing

@Suite struct MomentsTests {
    /// Of 1, 2, 4, 5: mean 12 / 4 = 3; squares 4 + 1 + 1 + 4 = 10; deviation sqrt(10 / 3) = 1.8257418583505538.
    @Test func `mean and sample deviation`() {
        #expect(Moments.mean([1, 2, 4, 5]) == 3)
        #expect(Moments.deviation([1, 2, 4, 5]) == (10.0 / 3).squareRoot())
        #expect(Moments.mean([]) == nil && Moments.deviation([7]) == nil)
    }

    /// Of 0, 10, 20, 40 the quantile 0.5 is at position 1.5, between 10 and 20; 0.9 at 2.7, 20 + 0.7 x 20 = 34.
    @Test func `a quantile lies between its neighbours`() {
        #expect(Moments.quantile(0.5, ofSorted: [0, 10, 20, 40]) == 15)
        #expect(abs(Moments.quantile(0.9, ofSorted: [0, 10, 20, 40])! - 34) < 1e-12)
        #expect(Moments.quantile(0, ofSorted: [3, 4]) == 3 && Moments.quantile(1, ofSorted: [3, 4]) == 4)
        #expect(Moments.quantile(0.5, ofSorted: []) == nil)
    }
}
