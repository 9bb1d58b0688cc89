import CMPI
public import Failures
import Heartbeat

#if canImport(Glibc)
    import Glibc
#endif

/// A number that MPI can reduce.
public protocol ReducibleNumber: BitwiseCopyable, Sendable {
    /// For the MPI target only.
    static var reductionType: ReductionType { get }
}

/// MPI's name of a number type.
public struct ReductionType: Sendable {
    let value: cmpi_type
}

extension Int64: ReducibleNumber {
    /// MPI_INT64_T.
    public static var reductionType: ReductionType { ReductionType(value: cmpi_int64) }
}

extension UInt64: ReducibleNumber {
    /// MPI_UINT64_T.
    public static var reductionType: ReductionType { ReductionType(value: cmpi_uint64) }
}

extension Float: ReducibleNumber {
    /// MPI_FLOAT.
    public static var reductionType: ReductionType { ReductionType(value: cmpi_float) }
}

extension Double: ReducibleNumber {
    /// MPI_DOUBLE.
    public static var reductionType: ReductionType { ReductionType(value: cmpi_double) }
}

extension Communicator {
    /// What a reduction does with the values of all ranks.
    public enum Reduction: Sendable {
        /// Sum; exact for integers. For floating point MPI chooses the order.
        case sum
        /// Smallest value.
        case minimum
        /// Largest value.
        case maximum

        var operation: cmpi_operation {
            switch self {
            case .sum: cmpi_sum
            case .minimum: cmpi_minimum
            case .maximum: cmpi_maximum
            }
        }
    }

    /// Overwrites `values` on every rank with the element-wise reduction over all ranks; collective.
    ///
    /// The number of elements must be the same on all ranks; otherwise MPI's behaviour is undefined.
    public func allReduce<Number: ReducibleNumber>(
        _ reduction: Reduction, _ values: UnsafeMutableBufferPointer<Number>
    ) throws(Failure) {
        for part in parts(of: values.count) {
            try unsafe check(
                cmpi_allreduce(
                    handle, values.baseAddress! + part.lowerBound, Int32(part.count), Number.reductionType.value,
                    reduction.operation), "reduce \(values.count) numbers over \(size) ranks")
        }
    }

    /// Overwrites `values` on every rank with their element-wise sum over all ranks; collective.
    public func allReduceSum<Number: ReducibleNumber>(
        _ values: UnsafeMutableBufferPointer<Number>
    ) throws(Failure) {
        try unsafe allReduce(.sum, values)
    }

    /// Returns the reduction of one number over all ranks; collective.
    public func allReduce<Number: ReducibleNumber>(_ reduction: Reduction, _ value: Number) throws(Failure) -> Number {
        var value = value
        try unsafe check(
            cmpi_allreduce(handle, &value, 1, Number.reductionType.value, reduction.operation),
            "reduce a number over \(size) ranks")
        return value
    }

    /// Like `allReduce`, but waits by testing, so that the caller can act on a reduction that does not end.
    ///
    /// - Parameter whileWaiting: called about every 0.1 ms once 2 ms have passed, with the time since the start. It can abort
    ///   the job, but it cannot cancel the reduction, because MPI continues to write to `values`.
    public func allReduce<Number: ReducibleNumber>(
        _ reduction: Reduction, _ values: UnsafeMutableBufferPointer<Number>, whileWaiting: (Duration) -> Void
    ) throws(Failure) {
        let start = ContinuousClock.now
        // This counts as one wait, however often the reduction is tested.
        try Heartbeat.waiting { () throws(Failure) in
            try unsafe poll(reduction, values) {
                let waited = ContinuousClock.now - start
                if waited < .milliseconds(2) {
                    sched_yield()
                } else {
                    whileWaiting(waited)
                    usleep(100)
                }
            }
        }
    }

    /// Like `allReduceSum`, but tests the reduction repeatedly and calls `pause` between two tests until the reduction is done.
    /// It does not count as waiting (`Heartbeat`), since the process computes meanwhile. Collective; all ranks must call this
    /// form.
    public func allReduceSum<Number: ReducibleNumber>(
        _ values: UnsafeMutableBufferPointer<Number>, pause: () -> Void
    ) throws(Failure) {
        try unsafe poll(.sum, values, pause: pause)
    }

    /// Reduces in place; calls `pause` each time that the reduction is not done yet.
    private func poll<Number: ReducibleNumber>(
        _ reduction: Reduction, _ values: UnsafeMutableBufferPointer<Number>, pause: () -> Void
    ) throws(Failure) {
        for part in parts(of: values.count) {
            var request = cmpi_request()
            let error = unsafe cmpi_start_allreduce(
                handle, values.baseAddress! + part.lowerBound, Int32(part.count), Number.reductionType.value,
                reduction.operation, &request)
            try check(error, "start a reduction of \(values.count) numbers over \(size) ranks", waits: false)
            var complete: Int32 = 0
            while true {
                // The test also moves the data; that is why the first tests come in quick succession.
                try unsafe check(
                    cmpi_test(&request, &complete), "reduce \(values.count) numbers over \(size) ranks", waits: false)
                if complete != 0 { break }
                pause()
            }
        }
    }

    /// Returns when all ranks have called it, like `barrier()`, but sleeps until then: for waits of seconds, during which
    /// another rank may use this rank's core. Collective.
    public func idleBarrier() throws(Failure) {
        var nothing: Int64 = 0
        try unsafe withUnsafeMutablePointer(to: &nothing) { (pointer) throws(Failure) in
            try unsafe allReduce(.sum, UnsafeMutableBufferPointer(start: pointer, count: 1)) { _ in }
        }
    }

    /// Cuts `0..<count` into ranges that one MPI call can carry.
    func parts(of count: Int) -> some Sequence<Range<Int>> {
        stride(from: 0, to: count, by: largestCount).lazy.map { $0..<Swift.min($0 + largestCount, count) }
    }
}
