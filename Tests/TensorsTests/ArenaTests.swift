import Tensors
import Testing

@Suite struct ArenaTests {
    private static let layout: ParameterLayout = {
        var layout = ParameterLayout()
        layout.append("a", [2, 3])
        layout.append("b", [4])
        return layout
    }()

    @Test func `a reader sees what is written, at the places of the layout`() throws {
        let arena = Arena(count: Self.layout.count)
        let (a, b) = try (#require(Self.layout["a"]), #require(Self.layout["b"]))
        let reader = arena.readOnly
        arena.matrix(a)[1, 2] = 5
        arena.matrix(b)[0, 3] = 7
        #expect(reader.matrix(a).copied() == [0, 0, 0, 0, 0, 5])
        #expect(reader.matrix(b).copied() == [0, 0, 0, 7])
        #expect(reader.matrix(at: 4, rows: 3, columns: 2).copied() == [0, 5, 0, 0, 0, 7])
        #expect(Array(reader.elements) == [0, 0, 0, 0, 0, 5, 0, 0, 0, 7])
        withExtendedLifetime(arena) {}
    }

    @Test func `a reader keeps the memory`() {
        var arena: Arena? = Arena(count: 3)
        arena?.base.update(repeating: 2, count: 3)
        let reader = arena?.readOnly
        arena = nil
        #expect(reader?.matrix(at: 0, rows: 1, columns: 3).copied() == [2, 2, 2])
        withExtendedLifetime(reader) {}
    }

    @Test func `bands of a matrix share its memory`() {
        let arena = Arena(count: 12)
        let whole = arena.matrix(at: 0, rows: 3, columns: 4)
        let band = whole.rows(1, 2).columns(2, 2)
        band[0, 0] = 1
        band[1, 1] = 2
        #expect(whole.readOnly.copied() == [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2])
        #expect(band.readOnly.copied() == [1, 0, 0, 2])
        withExtendedLifetime(arena) {}
    }
}

@Suite struct NumberBufferTests {
    @Test func `numbers are 0 until they are written`() {
        let buffer = NumberBuffer<Int64>(count: 5)
        let before = Array(buffer.elements)
        buffer[3] = 9
        let (after, slice, number) = (Array(buffer.elements), Array(buffer.slice(2, 2)), buffer[3])
        #expect(before == [0, 0, 0, 0, 0] && after == [0, 0, 0, 9, 0] && slice == [0, 9] && number == 9)
    }

    @Test func `there may be none`() {
        let buffer = NumberBuffer<Float>(count: 0)
        let (count, slice) = (buffer.count, Array(buffer.slice(0, 0)))
        #expect(count == 0 && slice.isEmpty)
    }

    @Test func `a number or a slice outside the buffer ends the process`() async {
        await #expect(processExitsWith: .failure) { _ = NumberBuffer<Float>(count: 2)[2] }
        await #expect(processExitsWith: .failure) { _ = NumberBuffer<Float>(count: 2).slice(1, 2) }
    }
}
