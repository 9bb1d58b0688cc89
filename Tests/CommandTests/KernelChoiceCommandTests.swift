import Foundation
import TestSupport
import Testing

/// A library that makes OpenBLAS see an unknown processor.
private enum UnknownProcessor {
    private static let source = """
        #define _GNU_SOURCE
        #include <dlfcn.h>
        #include <stdlib.h>
        char *openblas_get_corename(void) {
            const char *named = getenv("OPENBLAS_CORETYPE");
            if (named == NULL || *named == 0) return "Prescott";
            return ((char *(*)(void))dlsym(RTLD_NEXT, "openblas_get_corename"))();
        }

        """

    static let library: (directory: TemporaryDirectory, path: String)? = {
        guard let directory = try? TemporaryDirectory(), (try? directory.write("unknown.c", source)) != nil else {
            return nil
        }
        let path = directory.file("unknown.so")
        let files = "-shared -fPIC -o '\(path)' '\(directory.file("unknown.c"))' -ldl"
        let result = try? Program.run(command: ["sh", "-c", "cc \(files) || clang \(files)"])
        return result?.code == 0 ? (directory, path) : nil
    }()

    static var isPossible: Bool {
        let processor = try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)
        return processor?.contains(" avx2 ") == true && library != nil
    }
}

extension ProgramTests {
    /// The behaviour of the program and the tests when OpenBLAS says that it fell back to Prescott.
    @Suite(.enabled(if: UnknownProcessor.isPossible, "needs a C compiler and an x86 processor with AVX2"))
    struct KernelChoiceCommandTests {
        private static func environment(_ kernels: String) throws -> [String: String] {
            ["LD_PRELOAD": try #require(UnknownProcessor.library?.path), "OPENBLAS_CORETYPE": kernels]
        }

        @Test(arguments: [nil, 2])
        func `the program starts again with kernels that fit, under mpirun too`(ranks: Int?) throws {
            let result = try Program.run(["doctor"], ranks: ranks, environment: Self.environment(""))
            #expect(result.code == 0 && !result.output.contains("Prescott"), "\(result)")
            #expect(
                result.output.contains("kernels for SkylakeX") || result.output.contains("kernels for Haswell"),
                "\(result)")
        }

        @Test func `a choice of the user's stays`() throws {
            let result = try Program.run(["doctor"], environment: Self.environment("Prescott"))
            #expect(result.output.contains("kernels for Prescott"), "\(result)")
        }

        /// The arguments reach the second start unchanged, and these tests are started in the same way as the program.
        @Test func `the tests start again with kernels that fit`() throws {
            let tests = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            let directory = try TemporaryDirectory()
            let results = directory.file("results with blanks.xml")
            let result = try Program.run(
                command: [tests, "--testing-library", "swift-testing", "--filter", "KernelsTests.MatrixProductTests"]
                    + ["--xunit-output", results], environment: Self.environment(""))
            #expect(result.code == 0, "\(result)")
            #expect(try String(contentsOfFile: results, encoding: .utf8).contains("BLAS says what it is"))
        }
    }
}
