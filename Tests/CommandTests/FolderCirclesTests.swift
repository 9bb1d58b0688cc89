import Foundation
import TestSupport
import Testing

/// `.ci/circles.sh` on made-up targets.
@Suite struct FolderCirclesTests {
    private static let script =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path + "/.ci/circles.sh"

    /// Checks a target `House` with two folders: `Upper` refers to `Lower`, and `lower` is the content of a file in `Lower`.
    private func look(_ lower: String, upper: String = "struct Roof { var walls: Walls }\n") throws -> Program.Result {
        let place = try TemporaryDirectory()
        try place.write("House/Upper/Roof.swift", upper)
        try place.write("House/Lower/Walls.swift", "struct Walls { struct Brick {} }\n")
        try place.write("House/Lower/Other.swift", lower)
        try place.write("Garden/Gate.swift", "struct Gate {}\nextension Gate { func creaks() {} }\n")
        return try Program.run(command: ["bash", Self.script, place.path])
    }

    @Test(arguments: [
        "func build() -> Roof? { nil }", "extension Roof {}", "let all: [Roof] = []",
        "let text = \"on \\(Roof.self) it rains\"", "let house = House.Roof.self",
        "protocol Built { associatedtype Part = Roof }", "/* /* of */ clay */ typealias Cover = Roof",
        "let text = #\"\\(none) \\#(Roof.self)\"#",
    ])
    func `a circle is refused with the references that close it`(lower: String) throws {
        let result = try look("// A line.\n" + lower + "\n")
        #expect(result.code == 1)
        #expect(result.output.contains("circles: House"))
        #expect(result.output.contains("Lower/Other.swift:2 names Roof"), "\(result.output)")
        #expect(result.output.contains("Upper/Roof.swift:1 names Walls"), "\(result.output)")
    }

    @Test(arguments: [
        "// A Roof is above.", "/* A /* Roof */ Roof */", "let text = \"a Roof\"",
        "let text = \"\"\"\n    \"Roof\"\n    \"\"\"",
        "let text = #\"a \\(Roof) \"Roof\" is text\"#", "struct Shed { struct Roof {}\n var roof: Roof }",
        "func cover<Roof>(_ roof: Roof) {}", "let part = Shed.Roof.self", "let roofs = Roofs()",
    ])
    func `comments, texts and other types of that name are no references`(lower: String) throws {
        let result = try look(lower + "\n")
        #expect(result.code == 0, "\(result.output)")
        #expect(result.output.contains("none between the folders of 2 targets"))
    }

    @Test func `members of an extension of another folder's type are references where only it has their name`() throws {
        let upper = "struct Roof { var walls: Walls }\nextension Walls { func insulate() {} }\n"
        let circle = try look("func finish(_ walls: Walls) { walls.insulate() }\n", upper: upper)
        #expect(circle.code == 1)
        #expect(circle.output.contains("Lower/Other.swift:1 names .insulate"), "\(circle.output)")
        let own = "struct Door { func insulate() {} }\nfunc finish(_ door: Door) { door.insulate() }\n"
        #expect(try look(own, upper: upper).code == 0)
    }

    @Test func `a type in an extension belongs to the folder of the extension`() throws {
        let upper = "extension Walls { struct Window {} }\n"
        let circle = try look("let window = Walls.Window()\n", upper: upper)
        #expect(circle.output.contains("Lower/Other.swift:1 names Walls.Window"), "\(circle.output)")
        #expect(try look("let brick = Walls.Brick()\n", upper: upper).code == 0)
    }

    @Test func `functions and constants outside of types are references too`() throws {
        let upper = "func ridge(_ walls: Walls) {}\nprivate func gutter() {}\n"
        #expect(try look("func finish() { ridge(Walls()) }\n", upper: upper).code == 1)
        #expect(try look("func finish() { gutter() }\n", upper: upper).code == 0)
    }

    @Test func `the project has none`() throws {
        let result = try Program.run(command: ["bash", Self.script])
        #expect(result.code == 0, "\(result.output)")
    }
}
