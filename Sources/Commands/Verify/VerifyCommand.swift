import Failures
import Runs
import Training

/// `verify`: replays parity cases.
package enum VerifyCommand {
    /// Replays the cases of directories with the products of a name and prints a JSON line for each; `option` is what asks
    /// for the products. Returns 1 when one is out of tolerance; throws the failure of the first that cannot be replayed
    /// when none is.
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

    /// The line of a case, and the failure of one that cannot be replayed; `passed` becomes false where a figure differs.
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
