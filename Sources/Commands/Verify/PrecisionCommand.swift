public import Configuration
public import Failures
public import MPI
import Runs
import Training

/// `verify --config`: measures the effect of `model.storage` and `model.products` on a configuration's own model and data.
public enum PrecisionCommand {
    /// Measures on `examples` examples and prints one line of JSON; collective, rank 0 works. The adapter is that of
    /// `checkpoint` (best, last, a step or a path) in the run directory `out`, or a new one when `checkpoint` is nil.
    public static func run(
        _ load: () throws(Failure) -> RunConfiguration, out: String, checkpoint: String?, examples: Int,
        world: Communicator
    ) throws(Failure) -> Int32 {
        let configuration = try world.rankZeroFirst(load)
        let base = try RunModel(configuration, training: true, world: world)
        let run = RunDirectory(out)
        let model = AdaptedModel(base.method, on: base.model, seed: configuration.seed)
        var step = 0
        if let checkpoint { step = try base.load(checkpoint, of: run, into: model.weights)?.step ?? 0 }
        let session = try RunSession(base, run: run)
        if world.rank == 0 {
            let line = try session.precision(model, step: step, examples: examples).jsonLine()
            try session.inputs.check(MappedInputs.noFigures)
            try Terminal.print(line)
        }
        try world.idleBarrier()
        return 0
    }
}
