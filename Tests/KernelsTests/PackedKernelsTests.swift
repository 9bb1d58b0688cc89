import Failures
import Tensors
import TestSupport
import Testing

@testable import Kernels

/// The requirements for a backend: kernels and their worker, here in the simplest possible form.
@Suite struct PackedKernelsTests {
    init() { BLAS.useOneThread() }

    /// Keeps the operand row by row and sums in double precision.
    private final class PlainKernels: PackedKernels, @unchecked Sendable {
        let kind: ProductKind
        let hasIndependentRows: Bool
        private(set) var workers = 0

        init(_ kind: ProductKind = .float32, hasIndependentRows: Bool = true) {
            self.kind = kind
            self.hasIndependentRows = hasIndependentRows
        }

        func packedBytes(inner: Int, columns: Int) throws(PackingError) -> Int {
            guard inner < 1000 else { throw PackingError("\(inner) is too deep") }
            return (inner * columns * MemoryLayout<Float>.stride + 63) & ~63
        }

        func pack(_ operand: Operand, into weight: PackedWeight) throws(PackingError) {
            let target = weight.memory.bindMemory(to: Float.self, capacity: weight.inner * weight.columns)
            let (base, strides) = (operand.matrix.base, operand.strides)
            for i in 0..<weight.inner {
                for j in 0..<weight.columns {
                    target[i * weight.columns + j] = base[i * strides.row + j * strides.column]
                }
            }
        }

        func makeWorker() -> any PackedWorker {
            workers += 1
            return Worker()
        }

        private final class Worker: PackedWorker {
            func multiply(_ x: Matrix, _ w: PackedWeight, into y: MutableMatrix) {
                let numbers = w.memory.assumingMemoryBound(to: Float.self)
                for r in 0..<x.rows {
                    for j in 0..<w.columns {
                        y[r, j] = Float(
                            (0..<w.inner).reduce(0.0) { $0 + Double(x[r, $1]) * Double(numbers[$1 * w.columns + j]) })
                    }
                }
            }
        }
    }

    private static func packed(
        _ parts: [GuardedMatrix], _ kernels: PlainKernels, _ packs: FrozenMatrix.Packs, _ memory: Arena
    ) throws -> FrozenMatrix {
        let library = PackingLibrary([kernels])
        var matrix = FrozenMatrix(parts.map { .float32($0.readOnly) })
        #expect(try matrix.packedBytes(library, packs) <= memory.count * MemoryLayout<Float>.stride)
        try matrix.pack(library, packs, into: UnsafeMutableRawPointer(memory.base), fills: true)
        return matrix
    }

    @Test func `both products of a matrix run on the kernels of its packs, with one worker of a thread`() throws {
        let parts = [GuardedMatrix(11, 17, seed: 1), GuardedMatrix(6, 17, seed: 2)]
        let kernels = PlainKernels()
        let memory = Arena(count: 4096)
        let packed = try Self.packed(parts, kernels, FrozenMatrix.Packs(), memory)
        let plain = FrozenMatrix(parts.map { .float32($0.readOnly) })
        let (x, dy) = (Arena(count: 5 * 17), Arena(count: 5 * 17))
        for i in 0..<x.count { (x.base[i], dy.base[i]) = (Float(i % 13) - 6, Float(i % 7) - 3) }
        let products = FrozenProducts()
        for _ in 0..<2 {
            var results: [[Float]] = []
            for matrix in [packed, plain] {
                let (y, dx) = (Arena(count: 5 * 17), Arena(count: 5 * 17))
                matrix.multiply(
                    Matrix(x.base, rows: 5, columns: 17), into: MutableMatrix(y.base, rows: 5, columns: 17), products)
                matrix.multiplyTransposed(
                    Matrix(dy.base, rows: 5, columns: 17), into: MutableMatrix(dx.base, rows: 5, columns: 17), products)
                results.append(Array(y.elements) + Array(dx.elements))
            }
            #expect(largestDifference(results[0], results[1].map(Double.init)) < 1e-4)
            #expect(results[0].contains { $0 != 0 })
        }
        #expect(kernels.workers == 1)
        let other = FrozenProducts()
        let y = Arena(count: 17)
        packed.multiply(Matrix(x.base, rows: 1, columns: 17), into: MutableMatrix(y.base, rows: 1, columns: 17), other)
        #expect(kernels.workers == 2)
        withExtendedLifetime((parts, memory, x, dy, y)) {}
    }

    @Test(arguments: [true, false])
    func `rows that must stand alone use the kernels only where these promise it`(promises: Bool) throws {
        let part = GuardedMatrix(9, 12, seed: 3)
        let kernels = PlainKernels(hasIndependentRows: promises)
        let memory = Arena(count: 4096)
        let matrix = try Self.packed([part], kernels, FrozenMatrix.Packs(backward: nil), memory)
        let (x, y) = (Arena(count: 24), Arena(count: 18))
        for i in 0..<x.count { x.base[i] = Float(i) }
        matrix.multiply(
            Matrix(x.base, rows: 2, columns: 12), into: MutableMatrix(y.base, rows: 2, columns: 9),
            independentRows: true, FrozenProducts())
        #expect(kernels.workers == (promises ? 1 : 0))
        for r in 0..<2 {
            for j in 0..<9 {
                let sum = (0..<12).reduce(0.0) { $0 + Double(r * 12 + $1) * Double(part.view[j, $1]) }
                #expect(abs(Double(y.base[r * 9 + j]) - sum) < 1e-3)
            }
        }
        withExtendedLifetime((part, memory, x, y)) {}
    }

    @Test func `a library packs for what its kernels compute, the first of a kind`() throws {
        let (first, second, whole) = (PlainKernels(), PlainKernels(), PlainKernels(.int8))
        let library = PackingLibrary([whole, first, second])
        #expect(library.kernels(for: .float32) === first && library.kernels(for: .int8) === whole)
        let asked = FrozenMatrix.Packs(forward: .int8, backward: .float32)
        #expect(asked.made(by: library) == asked)
        #expect(asked.made(by: PackingLibrary([whole])) == FrozenMatrix.Packs(forward: .int8, backward: nil))
        #expect(asked.made(by: PackingLibrary([])).isEmpty)
        #expect(PackingLibrary.integers.packs(.int8) && !PackingLibrary.integers.packs(.float32))
        let deep = Arena(count: 1000)
        let matrix = FrozenMatrix([.float32(Matrix(deep.base, rows: 1, columns: 1000))])
        #expect(throws: PackingError.self) { try matrix.packedBytes(library, FrozenMatrix.Packs()) }
    }

    @Test(.enabled(if: OneDNN.isInBuild, "this build has no oneDNN"))
    func `oneDNN packs for products in float32, and 8 bits are packed where it has no instructions for them`() throws {
        let library = try PackingLibrary.oneDNN()
        #expect(library.packs(.float32) && library.packs(.int8))
        #expect((library.kernels(for: .int8) is IntegerPanels) == !OneDNN.hasVNNI)
    }

    @Test(.enabled(if: !OneDNN.isInBuild, "this build has oneDNN")) func `without oneDNN it is refused`() {
        let error = #expect(throws: PackingError.self) { try PackingLibrary.oneDNN() }
        #expect(error?.description.contains("built without it; use parallel.gemm: openblas") == true)
        #expect(OneDNN.name == nil && !OneDNN.isFast && !OneDNN.hasVNNI)
    }
}
