import Optimizers
import Testing

@Suite struct LearningRateScheduleTests {
    private func schedule(_ decay: LearningRateSchedule.Decay, warmup: Int = 10) -> LearningRateSchedule {
        LearningRateSchedule(peak: 2, warmup: warmup, steps: 110, decay: decay)
    }

    @Test(arguments: [LearningRateSchedule.Decay.cosine, .linear, .constant])
    func `the warmup rises linearly from 0 to the peak`(decay: LearningRateSchedule.Decay) {
        #expect((0...10).map(schedule(decay).rate) == (0...10).map { 2 * Double($0) / 10 })
    }

    @Test func `cosine falls along half a cosine, linear along a line, constant not at all`() {
        for (k, cosine, linear) in [(10, 2, 2), (35, 1.707_106_781_186_547_5, 1.5), (60, 1, 1), (110, 0, 0)] {
            #expect(abs(schedule(.cosine).rate(k) - cosine) <= 1e-12)
            #expect(abs(schedule(.linear).rate(k) - linear) <= 1e-12)
            #expect(schedule(.constant).rate(k) == 2)
        }
    }

    @Test func `no warmup starts at the peak and nothing follows the end`() {
        for decay in [LearningRateSchedule.Decay.cosine, .linear] {
            #expect(schedule(decay, warmup: 0).rate(0) == 2)
            #expect(schedule(decay).rate(111) == 0 && schedule(decay).rate(100_000) == 0)
        }
        let short = LearningRateSchedule(peak: 1, warmup: 10, steps: 5, decay: .cosine)
        #expect((0..<10).map(short.rate) == (0..<10).map { Double($0) / 10 })
        #expect(short.rate(10) == 1)
    }
}
