import ArgumentParser
import Failures
import Training

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Replays parity cases on this build and machine.",
        discussion: """
            A case is a directory with model/, adapter/ and case.safetensors. Prints one JSON line for each with the \
            worst relative error of logits, encoder output, loss, every gradient and every optimiser step, and whether \
            the generated tokens are equal; of a case that cannot be replayed, why. Exit code 1 when one is out of \
            tolerance, else that of the first case that cannot be replayed.
            """)

    @Option(help: "Products with frozen weights: auto, openblas or onednn.")
    var gemm = ProductChoice.auto

    @Argument(help: ArgumentHelp("Case directories.", valueName: "case"))
    var cases: [String]

    func run() {
        Job.alone("verify") { () throws(Failure) in
            let products = try ProductBackend(name: gemm.rawValue, asking: "--gemm")
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
    }

    /// The line of a case, and the failure of one that cannot be replayed; `passed` becomes false where a figure differs.
    private func replay(_ path: String, _ products: ProductBackend, _ passed: inout Bool) throws(Failure) -> (
        String, Failure?
    ) {
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

private typealias ExitCode = Failures.ExitCode
