package import Failures
import Runs
import Training

/// `verify`: replays parity cases.
package enum VerifyCommand {
    /// Replays the cases in directories with the named products and prints a JSON line for each; `option` is the option that
    /// names the products. Returns 1 when a case is out of tolerance. If none is, it throws the failure of the first case that
    /// cannot be replayed.
    package static func run(
        _ cases: [String], products name: String, asking option: String
    ) throws(Failure) -> Int32 {
        let products = try ProductBackend(name: name, asking: option)
        var passed = true
        var first: Failure?
        for path in cases {
            let (line, failure) = try replay(path, products, &passed)
            try Terminal.print(line)
            first = first ?? failure
        }
        if passed, let first { throw first }
        return (passed ? ExitCode.success : .difference).rawValue
    }

    /// The JSON line of a case, and its failure if it cannot be replayed; `passed` becomes false when a figure differs.
    private static func replay(
        _ path: String, _ products: ProductBackend, _ passed: inout Bool
    ) throws(Failure) -> (String, Failure?) {
        let report: VerificationReport
        do throws(Failure) {
            report = try Verification.replay(path: path, products: products)
        } catch {
            return (try VerificationRefusal(case: path, error).jsonLine(), error)
        }
        passed = passed && report.passed
        return (try report.jsonLine(), nil)
    }
}
