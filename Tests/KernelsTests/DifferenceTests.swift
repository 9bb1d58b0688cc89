import TestSupport
import Testing

/// The functions with which the tests measure differences detect a NaN at any position.
@Suite struct DifferenceTests {
    private static let numbers: [Float] = [1, -3, 2, 0]

    @Test func `differences and magnitudes of numbers are the largest`() {
        #expect(largestDifference(Self.numbers, [1, -3.5, 2, 0.25] as [Double]) == 0.5)
        #expect(largestDifference(Self.numbers, Self.numbers) == 0)
        #expect(largestDifference([Float](), [Double]()) == 0)
        #expect(largestMagnitude(Self.numbers) == 3 && largestMagnitude([Double]()) == 0)
        #expect(larger(1, 2) == 2 && larger(2, 1) == 2 && smaller(1, 2) == 1 && smaller(2, 1) == 1)
    }

    @Test(arguments: numbers.indices, [Float.nan, -.nan, .signalingNaN])
    func `a NaN at any place passes no bound`(place: Int, value: Float) {
        var damaged = Self.numbers
        damaged[place] = value
        for difference in [
            largestDifference(damaged, Self.numbers), largestDifference(Self.numbers, damaged),
            largestDifference(damaged, damaged), largestMagnitude(damaged),
        ] {
            #expect(difference.isNaN && !(difference <= .infinity) && !(difference >= 0))
        }
        // The expression that the tests used before, and why they do not use it any more.
        #expect(zip(damaged, Self.numbers).reduce(Float(0)) { max($0, ($1.0 - $1.1).magnitude) } == 0)
    }

    @Test func `a NaN is neither larger nor smaller than a number, and does not get lost`() {
        for combined in [larger(0, .nan), larger(.nan, 0), smaller(0, .nan), smaller(.nan, 0)] {
            #expect(combined.isNaN)
        }
    }

    @Test func `an infinity and a list that ends too soon pass no bound either`() {
        #expect(!(largestDifference([Float.infinity], [1.0]) <= 1e30))
        #expect(largestDifference([Float.infinity], [Double.infinity]).isNaN)
        #expect(largestDifference([1.0, 2.0], [1.0]).isNaN && largestDifference([1.0], [1.0, 2.0]).isNaN)
    }
}
