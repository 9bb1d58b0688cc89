import Synchronization

/// Numbers from 0 on; each is given to only one thread.
final class SharedCounter: Sendable {
    private let value = Atomic<Int>(0)

    func take() -> Int { value.wrappingAdd(1, ordering: .relaxed).oldValue }
}
