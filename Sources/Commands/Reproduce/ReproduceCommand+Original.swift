import Checkpoints
import Failures
import Foundation
import Runs
import Tensors

extension ReproduceCommand {
    /// The results with which a replay is compared. They stay readable when the run's directory changes.
    struct Original {
        /// The last step that is compared.
        let step: Int
        /// The directory of the checkpoint that says what the run's training was.
        let path: String
        /// The identity of the run's training.
        let identity: RunState.Identity
        /// What the bits depend on, from the manifest.
        let dependsOn: [String: String]
        /// Weights and moments of the step; nil if no intact checkpoint of it is kept.
        let bits: (weights: SafetensorsFile, moments: SafetensorsFile)?
        /// In what the jobs of these steps differ that computed them, one part of a sentence for each library.
        let differences: [String]
        /// The lines about training up to the step.
        let records: [Int: TrainRecord]

        /// Opens what is known about the newest step, or about the newest one that is at most `steps`: a step with an intact
        /// checkpoint, or, with `steps`, one that has only a line in `metrics.jsonl`.
        init(_ run: RunDirectory, steps: Int?) throws(Failure) {
            let checkpoints = try Self.checkpoints(run)
            guard let newest = checkpoints.first else {
                throw Failure(
                    .inputMissing,
                    "\(CheckpointStore(runDirectory: run.path).directory) has no intact checkpoint to compare with; train first"
                )
            }
            let limit = steps ?? newest.step
            let known = try Self.records(run, through: limit)
            let kept = checkpoints.first { $0.step <= limit }
            guard let last = ([kept?.step].compactMap(\.self) + known.keys).max() else {
                throw Failure(
                    .inputMissing,
                    "\(run.path) has neither an intact checkpoint of at most \(limit) steps nor a line about them in "
                        + "metrics.jsonl; raise --steps")
            }
            step = last
            records = known.filter { $0.key <= last }
            let reference = kept ?? newest
            path = reference.path
            identity = try RunState(reference.state(), path: reference.path).identity
            dependsOn = reference.manifest.dependsOn
            differences = JobRecord.differences(among: JobRecord.read(run), through: last)
            bits =
                kept?.step == last
                ? (try SafetensorsFile(path: reference.adapterModel), try SafetensorsFile(path: reference.optimizer))
                : nil
        }

        /// The intact checkpoints of a run, newest first; refused ones are named.
        private static func checkpoints(_ run: RunDirectory) throws(Failure) -> [Checkpoint] {
            let store = CheckpointStore(runDirectory: run.path)
            var found: [Checkpoint] = []
            for step in try store.steps().reversed() where step > 0 {
                do throws(Failure) {
                    found.append(try store.open(.step(step)))
                } catch {
                    Terminal.say("refused \(error.message)")
                }
            }
            return found
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
