import Foundation

/// What to ask SLURM for, as lines for the head of a job script.
struct SlurmRequest: Encodable {
    let nodes: Int
    /// The ranks. They need not fill the last node.
    let tasks: Int
    /// The most on a node.
    let tasksPerNode: Int
    let cpusPerTask: Int
    /// GiB of a node.
    let memoryGiB: Int
    /// The limit of the job.
    let seconds: Int
    /// Part of the memory, and of the time, that is asked for in addition.
    let margins: (memory: Double, time: Double)

    enum CodingKeys: String, CodingKey { case nodes, tasks, tasksPerNode, cpusPerTask, memoryGiB, seconds }

    /// SLURM counts files that a job has read as its memory.
    private static let memoryMargin = 0.25
    /// Seconds before the end at which `launch/train.sbatch` tells the processes to leave.
    private static let notice = 120.0

    /// - Parameters:
    ///   - bytes: memory of a node.
    ///   - seconds: expected time of the run.
    ///   - isMeasured: whether that was measured; a guess gets more.
    init(ranks: Int, ranksPerNode: Int, threads: Int, bytes: Double, seconds: Double, isMeasured: Bool) {
        nodes = (ranks + ranksPerNode - 1) / ranksPerNode
        tasks = ranks
        tasksPerNode = ranksPerNode
        cpusPerTask = threads
        margins = (Self.memoryMargin, isMeasured ? 0.5 : 1.5)
        memoryGiB = max(1, Int((min(bytes, 1e18) * (1 + margins.memory) / 0x1p30).rounded(.up)))
        let limit = min(seconds, 1e12) * (1 + margins.time) + Self.notice
        self.seconds = Int((limit / 300).rounded(.up)) * 300
    }

    /// The time as SLURM reads it, as in 1-02:30:00.
    var time: String {
        let clock = String(format: "%02d:%02d:%02d", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
        return seconds >= 86_400 ? "\(seconds / 86_400)-\(clock)" : clock
    }

    /// The lines.
    var lines: [String] {
        func percent(_ part: Double) -> String { "\(Int((100 * part).rounded())) %" }
        return [
            "# For launch/train.sbatch: memory \(percent(margins.memory)), time \(percent(margins.time)) and two minutes above the "
                + "plan's",
            // With --ntasks, --ntasks-per-node is only the most on a node; alone it would fill every node.
            "#SBATCH --nodes=\(nodes)", "#SBATCH --ntasks=\(tasks)", "#SBATCH --ntasks-per-node=\(tasksPerNode)",
            "#SBATCH --cpus-per-task=\(cpusPerTask)", "#SBATCH --mem=\(memoryGiB)G", "#SBATCH --time=\(time)",
        ]
    }
}
