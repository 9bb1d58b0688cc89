import Checkpoints
import Failures
import Foundation
import Runs
import Tensors

extension ReproduceCommand {
    /// The results with which a replay is compared. They stay readable when the run's directory changes.
    struct Original {
        /// The step of the checkpoint.
        let step: Int
        /// Its directory.
        let path: String
        /// The identity of the run's training.
        let identity: RunState.Identity
        /// What the bits depend on, from the manifest.
        let dependsOn: [String: String]
        let weights: SafetensorsFile
        let moments: SafetensorsFile
        /// The lines about training up to the step.
        let records: [Int: TrainRecord]

        /// Opens the newest intact checkpoint of a run with at most `steps` steps.
        init(_ run: RunDirectory, steps: Int?) throws(Failure) {
            let checkpoint = try Self.checkpoint(run, steps: steps)
            step = checkpoint.step
            path = checkpoint.path
            identity = try RunState(checkpoint.state(), path: checkpoint.path).identity
            dependsOn = checkpoint.manifest.dependsOn
            weights = try SafetensorsFile(path: checkpoint.adapterModel)
            moments = try SafetensorsFile(path: checkpoint.optimizer)
            records = try Self.records(run, through: step)
        }

        private static func checkpoint(_ run: RunDirectory, steps: Int?) throws(Failure) -> Checkpoint {
            let store = CheckpointStore(runDirectory: run.path)
            for step in try store.steps().reversed() where step > 0 && step <= steps ?? .max {
                do throws(Failure) {
                    return try store.open(.step(step))
                } catch {
                    Terminal.say("refused \(error.message)")
                }
            }
            throw Failure(
                .inputMissing,
                "\(store.directory) has no intact checkpoint\(steps.map { " of at most \($0) steps" } ?? "") to compare "
                    + "with; raise --steps or train first")
        }

        /// The lines about training by step, without their times.
        static func records(_ run: RunDirectory, through step: Int) throws(Failure) -> [Int: TrainRecord] {
            let file = try MappedFile(path: run.metrics)
            return withExtendedLifetime(file) {
                var records: [Int: TrainRecord] = [:]
                for line in unsafe Data(file.bytes).split(separator: 0x0A) {
                    guard var record = try? BoundedJSON.decode(TrainRecord.self, from: line), record.kind == "train",
                        record.step <= step
                    else { continue }
                    record.timing = TrainRecord.Timing(seconds: 0, examplesPerSecond: 0, tokensPerSecond: 0)
                    records[record.step] = record
                }
                return records
            }
        }
    }
}
