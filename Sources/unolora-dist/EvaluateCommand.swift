import ArgumentParser

struct EvaluateCommand: ParsableCommand {
    func run() {}
}
