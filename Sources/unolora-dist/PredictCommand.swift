import ArgumentParser

struct PredictCommand: ParsableCommand {
    func run() {}
}
