import Runs

/// Measures what something takes from its creation.
struct Watch {
    private let begun = ContinuousClock.now
    private let processor = ProcessorTime.ofThisProcess

    /// What has been taken so far, by all threads of this process.
    var cost: RunPace.Cost {
        RunPace.Cost(
            seconds: ProgressLine.seconds(begun.duration(to: .now)),
            processorSeconds: ProcessorTime.ofThisProcess - processor)
    }
}
