package import Failures
import Foundation
import MPI
import Tensors

extension Communicator {
    /// Returns the values of all ranks in order on rank 0, and an empty list on other ranks; collective. `what` names the
    /// values in a message.
    package func gather<Value: Codable>(_ own: Value, _ what: String) throws(Failure) -> [Value] {
        var values: [Value] = []
        for (rank, bytes) in try gather([UInt8](StableJSON.line(own, what)), to: 0).enumerated() {
            guard let value = try? JSONDecoder().decode(Value.self, from: Data(bytes)) else {
                throw Failure(.internal, "\(what) of rank \(rank) cannot be read")
            }
            values.append(value)
        }
        return values
    }

    /// Returns rank 0's value on every rank; collective. The `value` of other ranks is ignored.
    package func share<Value: Codable>(_ value: Value, _ what: String) throws(Failure) -> Value {
        let bytes = try broadcast(rank == 0 ? [UInt8](StableJSON.line([value], what)) : [], from: 0)
        guard rank != 0 else { return value }
        guard let shared = try? JSONDecoder().decode([Value].self, from: Data(bytes)).first else {
            throw Failure(.internal, "\(what) of rank 0 cannot be read")
        }
        return shared
    }
}
