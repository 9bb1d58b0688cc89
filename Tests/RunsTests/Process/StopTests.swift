import Testing

@testable import Runs

@Suite struct StopTests {
    @Test func `a request of any rank makes all leave`() {
        #expect(StopReason.together(0) == nil)
        #expect(StopReason.together(1) == .preempted)
        #expect(StopReason.together(1000) == .preempted)
    }

    @Test func `exit codes are those of the interface`() {
        #expect(StopReason.preempted.exitCode == 85)
        #expect(StopReason.terminated.exitCode == 143)
        #expect(StopReason.interrupted.exitCode == 130)
    }

    @Test func `a run leaves so long before the end of its job, and says when that end is unknown`() {
        let known = StopConditions(stopBefore: 120, jobEnd: "1700000000", afterStep: 7, now: 1_699_999_000)
        #expect(known.deadline == 1_699_999_880 && known.afterStep == 7 && known.warnings.isEmpty)
        #expect(known.shortage == nil)
        let stays = StopConditions(stopBefore: nil, jobEnd: nil, afterStep: nil)
        #expect(stays.deadline == nil && stays.warnings.isEmpty)
        for end in [nil, "", "soon", "nan"] {
            let unknown = StopConditions(stopBefore: 120, jobEnd: end, afterStep: nil)
            #expect(unknown.deadline == nil && unknown.warnings.count == 1)
            #expect(unknown.warnings[0].contains("train.stopBefore has no effect"))
            #expect(unknown.warnings[0].contains("SLURM_JOB_END_TIME"))
        }
    }

    @Test func `an end in the past is not this job's, and is said and ignored`() {
        for past in [0.5, 100, 1e6] {
            let stale = StopConditions(
                stopBefore: 120, jobEnd: "1700000000", afterStep: nil, now: 1_700_000_000 + past)
            #expect(stale.deadline == nil && stale.shortage == nil && stale.warnings.count == 1)
            #expect(stale.request(completing: 1) == nil)
            let seconds = Int(past.rounded(.toNearestOrEven))
            #expect(stale.warnings[0].contains("SLURM_JOB_END_TIME is \(seconds) s in the past"))
        }
    }

    @Test func `a job that has no more time than the run is to leave before its end is told so`() throws {
        for left in [1.0, 60, 120] {
            let near = StopConditions(
                stopBefore: 120, jobEnd: "1700000000", afterStep: nil, now: 1_700_000_000 - left)
            #expect(near.deadline == 1_699_999_880 && near.warnings.isEmpty)
            let sentence = try #require(near.shortage)
            #expect(sentence.contains("leaves this job \(Int(left)) s") && sentence.contains("train.stopBefore, 120 s"))
        }
        #expect(
            StopConditions(stopBefore: 120, jobEnd: "1700000000", afterStep: nil, now: 1_699_999_879).shortage == nil)
    }

    @Test func `a run stops after its step and at its deadline, not before`() {
        #expect(StopConditions().request(completing: 1) == nil)
        #expect(StopConditions(afterStep: 6).request(completing: 5) == nil)
        #expect(StopConditions(afterStep: 6).request(completing: 6) == .preempted)
        #expect(StopConditions(deadline: 1).request(completing: 1) == .preempted)
        #expect(StopConditions(deadline: 4e12).request(completing: 1) == nil)
    }
}
