import Backbone
import Failures
import Foundation
import Tensors

@testable import Adapters
@testable import Configuration
@testable import T5

func parseModelConfiguration(_ bytes: UnsafeRawBufferPointer) {
    guard let read = try? T5Configuration(Data(bytes), path: "c") else { return }
    hold(read.weightCount > 0, "a model has weights")
    guard let text = try? read.json(), let again = try? T5Configuration(text, path: "c") else {
        return hold(false, "what is written can be read")
    }
    hold(again == read, "what is written means the same")
}

/// The smallest preset model, for layouts of adapters on it.
private let model = T5Configuration.presets[0].configuration

func parseAdapterConfiguration(_ bytes: UnsafeRawBufferPointer) {
    guard let read = try? AdapterConfiguration(Data(bytes), path: "a") else { return }
    hold((try? read.firstDifference(from: read)) == .some(nil), "it is the same as itself")
    guard let made = try? MethodTable.standard.method(read, on: model, from: .file(path: "a")) else { return }
    hold(made.method.parameters.count >= 0, "a layout is not negative")
}

/// Parses the text and each value in it. The rest of `RunConfiguration.load` reads the defaults of all keys each time, which
/// takes some milliseconds.
func parseRunConfiguration(_ bytes: UnsafeRawBufferPointer) {
    guard let text = String(validating: bytes, as: UTF8.self), let layer = try? Layer(yaml: text, name: "r") else {
        return
    }
    for (path, leaf) in layer.leaves {
        guard let key = KeyTable.byPath[path] else { return hold(false, "a key is known") }
        guard let value = try? key.read(leaf, directory: ".") else { continue }
        hold((try? Layer(yaml: "\(path): \(value.yaml)", name: "r")) != nil, "what is written can be read")
    }
}
