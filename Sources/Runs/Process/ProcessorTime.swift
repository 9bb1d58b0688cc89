import Foundation

/// Processor time as Linux counts it.
package enum ProcessorTime {
    /// Seconds that all threads of this process have computed so far, including the kernel's time for them.
    package static var ofThisProcess: Double {
        var usage = rusage()
        unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) * 1e-6 }
    }
}
