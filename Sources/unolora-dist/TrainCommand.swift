import ArgumentParser

struct TrainCommand: ParsableCommand {
    func run() {}
}
