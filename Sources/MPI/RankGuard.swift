import CMPI

/// A process between the launcher and a rank. The launchers of MPICH and Intel MPI kill all ranks as soon as one rank is
/// killed. The guard delays that news, so that the other ranks can save the last step and end the job.
public enum RankGuard {
    /// Seconds that the other ranks have. Saving the last step may take 20 of them.
    private static let patience: Int32 = 30

    /// Starts the guard if one is needed; the program then continues in a child of this process. Call it before any thread
    /// starts.
    public static func start() {
        if LaunchEnvironment.ofThisProcess.killsTogether { cmpi_guard(patience) }
    }

    /// Tells the guard whether other ranks notice when this rank is killed and end the job themselves. Does nothing without a
    /// guard.
    public static func setWatched(_ watched: Bool) { cmpi_guard_watched(watched ? 1 : 0) }
}
