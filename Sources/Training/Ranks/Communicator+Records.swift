import Failures
import Foundation
import MPI
import Tensors

extension Communicator {
    /// On rank 0 the values of all ranks in their order, elsewhere an empty list; collective. `what` names them in a
    /// message.
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

    /// Rank 0's value, on every rank; collective. What the other ranks give is ignored.
    package func share<Value: Codable>(_ value: Value, _ what: String) throws(Failure) -> Value {
        let bytes = try broadcast(rank == 0 ? [UInt8](StableJSON.line([value], what)) : [], from: 0)
        guard rank != 0 else { return value }
        guard let shared = try? JSONDecoder().decode([Value].self, from: Data(bytes)).first else {
            throw Failure(.internal, "\(what) of rank 0 cannot be read")
        }
        return shared
    }

    /// Runs `body` on rank 0 first and then on the others, so that what is wrong for all is said once; collective.
    public func rankZeroFirst<T>(_ body: () throws(Failure) -> T) throws(Failure) -> T {
        if rank == 0 {
            let value = try body()
            try barrier()
            return value
        }
        try barrier()
        return try body()
    }
}
