import ArgumentParser

struct DoctorCommand: ParsableCommand {
    func run() {}
}
