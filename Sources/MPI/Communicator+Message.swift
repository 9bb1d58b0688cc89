import CMPI
public import Failures

/// One message of a few words to or from another rank, while it is on its way. For one thread only; that may be another thread
/// than the one that calls collectives if the library grants `multiple`. It does not count as waiting for other ranks.
///
/// Safe, because the words belong to the message and are never handed out, and MPI writes only as many as there are.
@safe public final class Message {
    private let words: UnsafeMutableBufferPointer<UInt64>
    private var request = cmpi_request()
    private var isUnderWay = true

    fileprivate init(count: Int) {
        unsafe words = .allocate(capacity: count)
        unsafe words.initialize(repeating: 0)
    }

    deinit {
        // MPI may still write to the words of a message that is on its way.
        if !isUnderWay { unsafe words.deallocate() }
    }

    /// Whether the message has been sent or has arrived.
    public func isComplete() throws(Failure) -> Bool {
        guard isUnderWay else { return true }
        var complete: Int32 = 0
        try unsafe check(cmpi_test(&request, &complete), "look after a message", waits: false)
        isUnderWay = complete == 0
        return !isUnderWay
    }

    /// The words of a complete message.
    public var content: [UInt64] { unsafe Array(words) }

    /// Cancels a message that has not arrived.
    public func cancel() throws(Failure) {
        guard try !isComplete() else { return }
        try unsafe check(cmpi_cancel(&request), "give up a message", waits: false)
    }

    fileprivate func send(_ content: [UInt64], to rank: Int, of communicator: Communicator) throws(Failure) {
        for (i, word) in content.enumerated() { unsafe words[i] = word }
        let (base, bytes) = unsafe (words.baseAddress, Int32(words.count * 8))
        try unsafe check(
            cmpi_start_send(communicator.handle, base, bytes, Int32(rank), &request), "send a message to rank \(rank)",
            waits: false)
    }

    fileprivate func receive(from rank: Int, of communicator: Communicator) throws(Failure) {
        let (base, bytes) = unsafe (words.baseAddress, Int32(words.count * 8))
        try unsafe check(
            cmpi_start_receive(communicator.handle, base, bytes, Int32(rank), &request),
            "receive a message from rank \(rank)", waits: false)
    }
}

extension Communicator {
    /// Starts sending words to a rank. Not collective; messages between two ranks keep their order.
    public func send(_ words: [UInt64], to rank: Int) throws(Failure) -> Message {
        let message = Message(count: words.count)
        try message.send(words, to: rank, of: self)
        return message
    }

    /// Starts receiving `count` words from a rank.
    public func receive(count: Int, from rank: Int) throws(Failure) -> Message {
        let message = Message(count: count)
        try message.receive(from: rank, of: self)
        return message
    }
}
