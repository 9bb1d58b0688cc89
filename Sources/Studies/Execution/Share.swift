package import Failures

/// Which runs of a study this process makes: those whose number is `number` modulo `count`.
package struct Share: Equatable {
    package var number: Int
    package var count: Int
    /// Whether other tasks of a SLURM array share the runs.
    package private(set) var isPartOfArray = false

    /// The share of a rank; `array` has the variables of a SLURM array, whose tasks share the runs too.
    ///
    /// Throws `usage` for a task that is not among those of the array.
    package init(rank: Int, ranks: Int, environment: [String: String]) throws(Failure) {
        func value(_ name: String) -> Int? { environment[name].flatMap { Int($0) } }
        guard let task = value("SLURM_ARRAY_TASK_ID") else {
            (number, count) = (rank, ranks)
            return
        }
        let least = value("SLURM_ARRAY_TASK_MIN") ?? task
        let step = value("SLURM_ARRAY_TASK_STEP") ?? 1
        let tasks = value("SLURM_ARRAY_TASK_COUNT") ?? 1
        let position = step > 0 ? (task - least) / step : 0
        guard step > 0, tasks > 0, task >= least, (task - least) % step == 0, position < tasks else {
            throw Failure(
                .usage,
                "the tasks of the array are no sequence (task \(task) of \(tasks) from \(least) in steps of \(step)); submit it as "
                    + "in sbatch --array=0-3 launch/study.sbatch")
        }
        number = position * ranks + rank
        count = tasks * ranks
        isPartOfArray = tasks > 1
    }

    /// The runs of this process.
    package func runs<Run>(of all: [Run]) -> [Run] {
        all.enumerated().filter { $0.offset % count == number }.map(\.element)
    }
}

/// The environment of a run's process.
package enum RunEnvironment {
    /// Variables by which a launcher tells a process that it is a rank of a job. A run is a job of its own.
    private static let launchers = [
        "OMPI_", "PMIX_", "PMI_", "PRTE_", "OPAL_", "HYDI_", "MV2_", "I_MPI_HYDRA_",
    ]

    /// Leaves out what tells of this process's job, except for the end of its time.
    ///
    /// - Parameter isLaunched: whether a launcher started this process. Otherwise variables of MPI are the user's own.
    package static func of(_ environment: [String: String], isLaunched: Bool) -> [String: String] {
        environment.filter { name, _ in
            if name.hasPrefix("SLURM_") { return name == "SLURM_JOB_END_TIME" }
            return !isLaunched || !launchers.contains { name.hasPrefix($0) }
        }
    }
}
