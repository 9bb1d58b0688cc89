import CFuzzer
import Glibc

/// `unolora-fuzz PARSER [arguments of libFuzzer]`; fuzz/run.sh builds and starts it.
@main enum Fuzz {
    /// The parser of this process; libFuzzer's callback cannot pass it.
    nonisolated(unsafe) private static var parser = Parser.safetensors

    static func main() {
        guard let name = CommandLine.arguments.dropFirst().first, let chosen = Parser(rawValue: name) else {
            // The list of parsers, which the script iterates over.
            for parser in Parser.allCases { print(parser.rawValue) }
            return
        }
        parser = chosen
        // The parser is removed from the arguments; the program's name takes its place.
        var count = CommandLine.argc - 1
        var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv + 1
        exit(
            LLVMFuzzerRunDriver(&count, &arguments) { start, size in
                Fuzz.parser(UnsafeRawBufferPointer(start: start, count: size))
                return 0
            })
    }
}
