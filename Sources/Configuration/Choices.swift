/// The values of some keys for which other parts of the program have a case each. When a value is added here, the compiler
/// shows where it needs a meaning.

/// `lr.schedule`: what follows the warmup.
public enum ScheduleChoice: String, Sendable, CaseIterable {
    case cosine
    case linear
    case constant
}

/// `sampler.granularity`: the slots that share one draw of a task.
public enum GranularityChoice: String, Sendable, CaseIterable {
    case batch
    case microBatch
    case example
}

/// `train.conflict`: what happens to gradients of tasks that point against each other in a step.
public enum ConflictChoice: String, Sendable, CaseIterable {
    /// They are added as they are.
    case sum
    /// Each is projected onto the normal planes of those that it conflicts with.
    case pcgrad
}

/// `checkpoint.best`: the mean of figures that is largest for the best checkpoint.
public enum BestChoice: String, Sendable, CaseIterable {
    /// Over all figures.
    case average
    /// Over the tasks' own means.
    case taskMean
}

/// `init.newTask`: how what belongs to a task begins that the origin of a run does not have.
public enum NewTaskChoice: String, Sendable, CaseIterable {
    /// At the mean of the origin's tasks.
    case mean
    /// Like in a run without origin.
    case random
}

/// `parallel.reduction`: how gradients are summed over micro-batches, threads and ranks.
public enum ReductionChoice: String, Sendable, CaseIterable {
    /// As whole numbers, with the same bits from any number of threads and ranks.
    case exact
    /// In float32.
    case fast
}

/// `data.glueSplits`: how the files of GLUE and SuperGLUE become splits.
public enum GLUESplitsChoice: String, Sendable, CaseIterable {
    /// A validation and a test split for every task.
    case paper
    /// The whole dev set as validation, and no test split.
    case dev
}

extension Key.Kind {
    /// One of the words of an enumeration.
    static func choice<Choice: RawRepresentable & CaseIterable>(of type: Choice.Type) -> Key.Kind
    where Choice.RawValue == String {
        .choice(type.allCases.map(\.rawValue))
    }
}

extension RunConfiguration {
    /// What follows the warmup.
    public var schedule: ScheduleChoice { choice("lr.schedule") }
    /// The slots that share one draw of a task.
    public var granularity: GranularityChoice { choice("sampler.granularity") }
    /// What happens to gradients of tasks that conflict.
    public var conflict: ConflictChoice { choice("train.conflict") }
    /// How what belongs to a new task begins.
    public var newTask: NewTaskChoice { choice("init.newTask") }
    /// How gradients are summed.
    public var reduction: ReductionChoice { choice("parallel.reduction") }
    /// How the files of GLUE and SuperGLUE become splits.
    public var glueSplits: GLUESplitsChoice { choice("data.glueSplits") }
    /// The mean of figures that is largest for the best checkpoint.
    public var checkpointBest: BestChoice { choice("checkpoint.best") }
}
