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
            the generated tokens are equal. Exit code 1 when one is out of tolerance.
            """)

    @Option(help: "Products with frozen weights: auto, openblas or onednn.")
    var gemm = ProductChoice.auto

    @Argument(help: ArgumentHelp("Case directories.", valueName: "case"))
    var cases: [String]

    func run() {
        Job.alone { () throws(Failure) in
            let products = try ProductBackend(name: gemm.rawValue, asking: "--gemm")
            var passed = true
            for path in cases {
                let report = try Verification.replay(path: path, products: products)
                try Terminal.print(report.jsonLine())
                passed = passed && report.passed
            }
            return (passed ? ExitCode.success : .difference).rawValue
        }
    }
}

private typealias ExitCode = Failures.ExitCode
