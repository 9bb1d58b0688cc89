import CMPI

/// The process that stands between the launcher and a rank where the launcher kills all ranks as soon as one was killed, as
/// MPICH's and Intel MPI's does: it keeps the news back, so that the other ranks can save the last step and end the job.
public enum RankGuard {
    /// Seconds that the other ranks have. A last save may take 20.
    private static let patience: Int32 = 30

    /// Makes the guard, where one is needed; what goes on is a child of this process. Before there are threads.
    public static func start() {
        if LaunchEnvironment.ofThisProcess.killsTogether { cmpi_guard(patience) }
    }

    /// Says whether other ranks notice when this one is killed, and end the job themselves. Without a guard, nothing.
    public static func isWatched(_ isWatched: Bool) { cmpi_guard_watched(isWatched ? 1 : 0) }
}
