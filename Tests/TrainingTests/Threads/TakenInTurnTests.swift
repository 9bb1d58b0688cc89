import Testing

@testable import Training

@Suite struct TakenInTurnTests {
    @Test func `a worker takes the next piece when it is free`() {
        // The first worker takes 5; the second one 1, 2 and 3, and then 4, since the first is free at 5 and the second at 6.
        #expect(TakenInTurn.busiest([5, 1, 2, 3, 4], workers: 2) == 9)
        #expect(TakenInTurn.busiest([5, 1, 2, 3, 4], workers: 1) == 15)
        #expect(TakenInTurn.busiest([5, 1, 2, 3, 4], workers: 5) == 5)
        #expect(TakenInTurn.busiest([0.5, 0.25], workers: 9) == 0.5)
        #expect(TakenInTurn.busiest([Int](), workers: 2) == 0)
    }
}
