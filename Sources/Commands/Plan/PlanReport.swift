import Backbone
import Configuration
import Failures
import Foundation
import Runs
import Tasks
import Tensors
import Training

/// The result of a plan, for people and for programs.
public struct PlanReport {
    let plan: Plan
    let data: PlannedData
    let memory: RankMemory
    let forecast: RunForecast

    init(_ plan: Plan, _ data: PlannedData, _ memory: RankMemory, _ forecast: RunForecast) {
        (self.plan, self.data, self.memory, self.forecast) = (plan, data, memory, forecast)
    }

    private var configuration: RunConfiguration { plan.configuration }

    /// The plan as text.
    public var text: String {
        let warnings = warnings.map { "warning: \($0)" }
        let lines = warnings + counts + memoryLines + [step] + forecast.lines + data.lines(configuration)
        return (lines + [""] + slurm.lines).joined(separator: "\n")
    }

    var warnings: [String] {
        configuration.warnings + data.warnings + [plan.idleWarning, memoryWarning].compactMap(\.self)
    }

    private var counts: [String] {
        let (trainable, backbone) = (plan.method.trained.count, plan.shape.weightCount)
        let frozen = plan.method.parameters.count - trainable
        let percent = 100 * Double(trainable) / Double(backbone)
        let tasks = configuration.tasks.count
        var lines = [
            "method               \(configuration.method), \(plan.method.siteCount) sites, \(tasks) tasks",
            "backbone             \(backbone) weights",
            "trainable            \(trainable) weights (\(String(format: "%.4f", percent)) %, "
                + "\(String(format: "%.4f", percent / Double(max(tasks, 1)))) % per task)",
        ]
        if frozen > 0 {
            lines.append(
                "frozen               \(frozen) weights of the adapter, without moments and without a part in the sum")
        }
        return lines
    }

    private var step: String {
        let operations = String(format: "%.1f", plan.operationsPerExample(data) / 1e9)
        return
            "step                 about \(String(format: "%.3g", forecast.part(.steps).each.seconds)) s: \(operations) GFLOP an "
            + "example (mean source \(String(format: "%.1f", data.meanSource)) tokens, target \(Int(plan.target(data)))), "
            + "\(plan.examplesInTurn) on a thread in turn, \(plan.ranks) rank(s) x \(plan.threads) thread(s)"
    }

    /// What to ask SLURM for.
    var slurm: SlurmRequest {
        SlurmRequest(
            ranks: plan.ranks, ranksPerNode: plan.ranksPerNode, threads: plan.threads, bytes: nodeBytes,
            seconds: forecast.seconds, isMeasured: forecast.isMeasured)
    }
}

extension PlanReport: Encodable {
    private struct Adapter: Encodable {
        var method: String
        var sites: Int
        var backboneWeights: Int
        var trainableWeights: Int
        var frozenWeights: Int
    }

    private struct Layout: Encodable {
        var ranks: Int
        var ranksPerNode: Int
        var threads: Int
        var examplesInTurn: Int
    }

    private struct Memory: Encodable {
        var rankBytes: Int
        var mostRankBytes: Int
        var mostNodeBytes: Double
        var tokenisingBytes: Int
        var packingBytes: Int
        var snapshotBytes: Int
        var wireBytes: Int
    }

    private struct Task: Encodable {
        var task: String
        var examples: Int
        var share: Double
        var expectedPasses: Double
    }

    enum CodingKeys: String, CodingKey { case adapter, layout, memory, time, tasks, sbatch, warnings }

    /// Encodes everything that the text says.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(
            Adapter(
                method: configuration.method, sites: plan.method.siteCount, backboneWeights: plan.shape.weightCount,
                trainableWeights: plan.method.trained.count,
                frozenWeights: plan.method.parameters.count - plan.method.trained.count), forKey: .adapter)
        try container.encode(
            Layout(
                ranks: plan.ranks, ranksPerNode: plan.ranksPerNode, threads: plan.threads,
                examplesInTurn: plan.examplesInTurn), forKey: .layout)
        try container.encode(
            Memory(
                rankBytes: memory.usualBytes ?? memory.mostBytes, mostRankBytes: memory.mostBytes,
                mostNodeBytes: nodeBytes, tokenisingBytes: tokenisingBytes, packingBytes: packingBytes,
                snapshotBytes: memory.snapshotBytes(1),
                wireBytes: memory.wireBytes(tasks: configuration.tasks.count)), forKey: .memory)
        try container.encode(forecast, forKey: .time)
        try container.encode(
            data.mixture.entries.map { entry in
                Task(
                    task: entry.task, examples: entry.examples, share: entry.share,
                    expectedPasses: entry.expectedPasses(steps: configuration.steps, batch: configuration.globalBatch))
            }, forKey: .tasks)
        try container.encode(slurm, forKey: .sbatch)
        try container.encode(warnings, forKey: .warnings)
    }

    /// The plan as JSON.
    public var json: String {
        get throws(Failure) { String(decoding: try StableJSON.document(self, "the plan"), as: UTF8.self) }
    }
}
