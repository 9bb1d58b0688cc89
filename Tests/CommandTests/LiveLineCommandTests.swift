import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// The line of progress on a terminal that `script` makes.
    @Suite struct LiveLineCommandTests {
        @Test(arguments: [50, 80, 200])
        func `a training keeps one line within the width of its terminal`(columns: Int) throws {
            let project = try TinyProject()
            let command = ([Program.path] + project.train(["--set", "train.steps=40"])).map { "'\($0)'" }
            let result = try Program.run(command: [
                "script", "--quiet", "--return", "--command",
                "stty cols \(columns); \(command.joined(separator: " "))", "/dev/null",
            ])
            #expect(result.code == 0, "\(result)")
            #expect(!result.output.contains("\u{1B}"), "no colours and no control sequences")
            let shown = result.output.replacing("\r\n", with: "\n").split(separator: "\n").filter { $0.contains("\r") }
            #expect(!shown.isEmpty)
            for text in shown.joined(separator: "\r").split(separator: "\r") {
                #expect(text.count < columns, "\(text)")
            }
            // Other text begins on a line of its own.
            #expect(result.output.replacing("\r\n", with: "\n").contains("\nstep 40: validation average "))
            #expect(result.output.replacing("\r\n", with: "\n").contains("\nstep 40: colour accuracy "))
        }

        @Test func `a pipe gets whole lines`() throws {
            let project = try TinyProject()
            let result = try Program.run(project.train(), ranks: 2)
            #expect(result.code == 0 && !result.output.contains("\r"), "\(result)")
            #expect(result.output.contains("step 12/12  loss "))
        }
    }
}
