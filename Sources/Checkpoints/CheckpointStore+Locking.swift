import Failures
import Tensors

extension CheckpointStore {
    /// Runs `body` while no other process or thread changes names in the store.
    func exclusively<R>(_ body: () throws(Failure) -> R) throws(Failure) -> R {
        try Tensors.exclusively(in: directory, body)
    }
}
