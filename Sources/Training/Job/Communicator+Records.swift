import Failures
import Foundation
import MPI
import Tensors

extension Communicator {
    /// On rank 0 the values of all ranks in their order, elsewhere an empty list; collective. `what` names them in a
    /// message.
    func gather<Value: Codable>(_ own: Value, _ what: String) throws(Failure) -> [Value] {
        var values: [Value] = []
        for (rank, bytes) in try gather([UInt8](StableJSON.line(own, what)), to: 0).enumerated() {
            guard let value = try? JSONDecoder().decode(Value.self, from: Data(bytes)) else {
                throw Failure(.internal, "\(what) of rank \(rank) cannot be read")
            }
            values.append(value)
        }
        return values
    }
}
