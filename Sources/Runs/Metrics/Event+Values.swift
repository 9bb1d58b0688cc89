import Configuration

// The messages of TensorFlow's core/framework (summary.proto, tensor.proto) and TensorBoard's plugins/hparams/plugin_data.proto
// that an event's values become.

/// `DataType` of a tensor.
private enum ElementType: UInt64 {
    case float = 1
    case string = 7
}

extension Event.Value {
    /// `Status` of a session of the plugin for hyperparameters.
    private enum Status: UInt64 {
        case success = 1
    }

    /// `Summary.Value`.
    func serialized(_ tag: String, at wallTime: Double) -> [UInt8] {
        MessageWriter.message { value in
            value.text(1, tag)
            switch self {
            case .scalar(let scalar):
                // This field selects one of several kinds of value, so it is written even when it is zero.
                value.fixed32(2, Float(scalar).bitPattern)
            case .histogram(let histogram):
                value.bytes(5, histogram.serialized)
            case .text(let text):
                value.message(8) { tensor in
                    tensor.integer(1, ElementType.string.rawValue)
                    // A single string, which is shown as Markdown; a list would be shown as a table.
                    tensor.message(2) { _ in }
                    tensor.bytes(8, Array(text.utf8))
                }
                value.metadata(plugin: "text")
            case .begun(let hyperparameters):
                value.noTensor()
                value.metadata(plugin: "hparams") { data in
                    data.message(3) { session in
                        for hyperparameter in hyperparameters {
                            session.message(1) { entry in
                                entry.text(1, hyperparameter.key)
                                entry.message(2) { $0.value(hyperparameter.value) }
                            }
                        }
                        // Without a name of a group the run's own directory is one.
                        session.fixed64(5, wallTime.bitPattern)
                    }
                }
            case .finished:
                value.noTensor()
                value.metadata(plugin: "hparams") { data in
                    data.message(4) { session in
                        session.integer(1, Status.success.rawValue)
                        session.fixed64(2, wallTime.bitPattern)
                    }
                }
            }
        }
    }
}

extension Histogram {
    /// `HistogramProto`.
    fileprivate var serialized: [UInt8] {
        MessageWriter.message { histogram in
            for (field, value) in [least, most, count, sum, squares].enumerated() {
                histogram.fixed64(UInt8(field + 1), value.bitPattern)
            }
            histogram.doubles(6, limits)
            histogram.doubles(7, counts)
        }
    }
}

extension MessageWriter {
    /// `SummaryMetadata` of a plugin with its data.
    fileprivate mutating func metadata(plugin: String, _ data: (inout MessageWriter) -> Void = { _ in }) {
        message(9) { metadata in
            metadata.message(1) { pluginData in
                pluginData.text(1, plugin)
                let content = MessageWriter.message(data)
                if !content.isEmpty { pluginData.bytes(2, content) }
            }
        }
    }

    /// The tensor of a value that has only metadata: a list of no number.
    fileprivate mutating func noTensor() {
        message(8) { tensor in
            tensor.integer(1, ElementType.float.rawValue)
            tensor.message(2) { shape in shape.message(2) { _ in } }
        }
    }

    /// `google.protobuf.Value`.
    fileprivate mutating func value(_ value: RunConfiguration.Hyperparameter.Value) {
        switch value {
        case .number(let number): chosen(2, fixed64: number.bitPattern)
        case .text(let text): bytes(3, Array(text.utf8))
        case .flag(let flag): chosen(4, flag ? 1 : 0)
        }
    }
}
