import Foundation
import Testing

@testable import Runs

@Suite struct LeaseHolderTests {
    private let me = LeaseHolder.ofThisProcess()

    private func changed(_ change: (inout LeaseHolder) -> Void) -> LeaseHolder {
        var holder = me
        change(&holder)
        return holder
    }

    @Test func `what a lease says of its holder is read back`() {
        #expect(LeaseHolder(me.text + "renewed 000000000001 001764340000\n") == me)
        #expect(me.description == "process \(getpid()) on \(ProcessInfo.processInfo.hostName)")
        #expect(LeaseHolder.ofThisProcess().id != me.id)
    }

    @Test(arguments: [
        "", "process 1 on host", "process x on host\nid a\nmachine m\nbegan 1\n",
        "process 0 on host\nid a\nmachine m\nbegan 1\n",
        "process 1 on host\nid \nmachine m\nbegan 1\n", "process 1 on host\nid a\nmachine m\nbegan -1\n",
        "process 1 on host\nmachine m\nid a\nbegan 1\n", "{\"process\":1}\n\n\n\n\n",
    ])
    func `what is no lease's text is none`(text: String) {
        #expect(LeaseHolder(text) == nil)
    }

    @Test func `a process of this machine is there or gone, and a later one of its number is another`() throws {
        #expect(me.presence(from: me) == .there)
        let child = Process()
        child.executableURL = URL(fileURLWithPath: "/bin/true")
        try child.run()
        child.waitUntilExit()
        #expect(changed { $0.process = child.processIdentifier }.presence(from: me) == .gone)
        #expect(changed { $0.began += 1 }.presence(from: me) == .gone)
    }

    /// On this machine, any process may have that number.
    @Test func `of a process of another machine or container nothing can be told`() {
        #expect(changed { $0.host += "x" }.presence(from: me) == .unknown)
        #expect(changed { $0.machine += "x" }.presence(from: me) == .unknown)
        #expect(changed { $0.machine = "" }.presence(from: changed { $0.machine = "" }) == .unknown)
    }
}
