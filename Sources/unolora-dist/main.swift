import Training
import Kernels
BLAS.useOneThread()
for path in CommandLine.arguments.dropFirst(2) {
    do { print(try Verification.replay(path: path).jsonLine()) } catch { print("FAILED", error) }
}
