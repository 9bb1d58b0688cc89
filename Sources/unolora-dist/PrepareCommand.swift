import ArgumentParser

struct PrepareCommand: ParsableCommand {
    func run() {}
}
