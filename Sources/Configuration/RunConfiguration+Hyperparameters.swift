import Foundation

extension RunConfiguration {
    /// A key that decides the result, as tools that compare runs show it.
    package struct Hyperparameter: Equatable, Sendable {
        /// What the key says.
        package enum Value: Equatable, Sendable {
            case flag(Bool)
            case number(Double)
            /// A word, or what is neither a number nor true or false, as YAML.
            case text(String)
        }

        /// The key's path, such as `lora.rank`.
        package let key: String
        /// Its value.
        package let value: Value

        /// Names a key and what it says.
        package init(_ key: String, _ value: Value) {
            self.key = key
            self.value = value
        }
    }

    /// The keys that decide the result and apply to the method, with the model and the origin, in the order of the reference.
    /// Tasks are there by their names, and the model by the name of its directory, which on another machine is elsewhere.
    package var hyperparameters: [Hyperparameter] {
        KeyTable.keys.filter {
            ($0.decidesResult || ["model", "init.from"].contains($0.path)) && applies($0)
        }.map { key in
            if key.path == "model" {
                return Hyperparameter("model", .text(URL(fileURLWithPath: model).lastPathComponent))
            }
            if key.path == "tasks" { return Hyperparameter("tasks", .text(tasks.map(\.name).joined(separator: ", "))) }
            let value: Hyperparameter.Value =
                switch values[key.path] ?? .null {
                case .flag(let flag): .flag(flag)
                case .integer(let integer): .number(Double(integer))
                case .number(let number) where number.isFinite: .number(number)
                case .text(let text): .text(text)
                case let other: .text(other.yaml)
                }
            return Hyperparameter(key.path, value)
        }
    }
}
