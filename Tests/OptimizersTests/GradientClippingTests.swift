import Optimizers
import Tensors
import Testing

@Suite struct GradientClippingTests {
    private func arena(_ values: [Float]) -> Arena {
        let arena = Arena(count: values.count)
        _ = arena.elements.update(fromContentsOf: values)
        return arena
    }

    @Test func `a gradient above the limit gets the limit's norm and keeps its direction`() {
        let g = arena([3, 0, -4])
        #expect(GradientClipping.clip(g, limit: 1) == 5)
        #expect(abs(GradientClipping.norm(g) - 1) <= 1e-6)
        #expect(abs(g.base[0] / g.base[2] + 0.75) <= 1e-6 && g.base[1] == 0)
        #expect(g.base[0] == 3 * Float(1 / 5.000001))
    }

    @Test func `a gradient at or below the limit, or without one, stays as it is`() {
        for limit in [5, 6, nil] as [Double?] {
            let g = arena([3, 0, -4])
            #expect(GradientClipping.clip(g, limit: limit) == 5)
            #expect(Array(g.elements) == [3, 0, -4])
        }
    }

    @Test func `the norm neither overflows nor loses small elements`() {
        #expect(GradientClipping.norm(arena([1e30, 1e30])) > 1.41e30)
        #expect(GradientClipping.norm(arena([1e-30, 0])) > 0.99e-30)
        let many = arena([1e4] + [Float](repeating: 1e-2, count: 1_000_000))
        let exact = (1e8 + 100).squareRoot()
        #expect(abs(GradientClipping.norm(many) - exact) <= 1e-4)
        #expect(GradientClipping.norm(Arena(count: 0)) == 0)
    }

    @Test func `a NaN makes the norm NaN and is left for the caller to see`() {
        let g = arena([3, .nan, -4])
        #expect(GradientClipping.clip(g, limit: 1).isNaN)
        #expect(g.base[0] == 3 && g.base[1].isNaN)
    }
}
