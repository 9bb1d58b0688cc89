import Foundation
import Testing

@testable import Runs

@Suite struct LiveLineTests {
    private func line(_ width: Int, step: Int = 1_234_567, steps: Int = 2_000_000) -> String {
        LiveLine.fitting(
            ProgressLine.parts(
                step: step, steps: steps, loss: 0.32281, examples: 312.94, tokens: 11_606.7, left: "12:02:33"),
            width: width)
    }

    @Test func `the progress has all its parts where they fit`() {
        #expect(
            line(200) == "step 1234567/2000000  loss 0.3228  312.9 examples/s  11607 tokens/s  time left 12:02:33")
    }

    @Test func `80 columns have short texts, 50 only what matters most`() {
        #expect(line(79) == "1234567/2000000  loss 0.3228  312.9 ex/s  11607 tok/s  left 12:02:33")
        #expect(line(49) == "1234567/2000000  loss 0.3228  left 12:02:33")
        #expect(line(30) == "1234567/2000000  loss 0.3228")
        #expect(line(20) == "1234567/2000000")
    }

    @Test func `no width has a longer line`() {
        for width in 1...120 {
            #expect(line(width).count <= width)
            #expect(!line(width).isEmpty)
        }
        #expect(LiveLine.fitting([], width: 10).isEmpty)
    }
}
