package import Configuration
package import Failures
import Runs
import Training

/// `verify`: replays parity cases.
package enum VerifyCommand {
    /// Replays the cases in directories with these products by the named backend and prints a JSON line for each; `option` and
    /// `named` are the options that name the two. Returns 1 when a case is out of tolerance. If none is, it throws the failure of the first case that
    /// cannot be replayed.
    package static func run(
        _ cases: [String], gemm name: String, asking option: String, products: ModelProducts, named: String
    ) throws(Failure) -> Int32 {
        let backend = try ProductBackend(name: name, asking: option, products: products, named: named)
        var passed = true
        var first: Failure?
        for path in cases {
            let (line, failure) = try replay(path, backend, products, &passed)
            try Terminal.print(line)
            first = first ?? failure
        }
        if passed, let first { throw first }
        return (passed ? ExitCode.success : .difference).rawValue
    }

    /// The JSON line of a case, and its failure if it cannot be replayed; `passed` becomes false when a figure differs.
    private static func replay(
        _ path: String, _ backend: ProductBackend, _ products: ModelProducts, _ passed: inout Bool
    ) throws(Failure) -> (String, Failure?) {
        let report: VerificationReport
        do throws(Failure) {
            report = try Verification.replay(path: path, backend: backend, products: products)
        } catch {
            return (try VerificationRefusal(case: path, error).jsonLine(), error)
        }
        passed = passed && report.passed
        return (try report.jsonLine(), nil)
    }
}
