import Adapters
import Backbone

@testable import T5

/// The methods that change what a tiny T5 computes, for tests that hold for each of them.
enum TinyMethod: String, CaseIterable, Sendable {
    case unolora
    case unoloraStar = "unolora_star"
    case loraPerTask = "lora_per_task"
    case hyperFormer = "hyperformer_pp"
    case full

    /// The width of HyperFormer++'s adapters is 2 for a tiny T5, and for a wide one 65, which is too many for a small product.
    private static func reduction(_ shape: T5Configuration) -> Int { shape.modelWidth > 100 ? 8 : 5 }

    /// The method with as many tasks as in `options`; all other options are of low-rank methods.
    func method(_ options: LowRankOptions, on shape: T5Configuration) -> any Method {
        func lowRank(_ method: LowRankOptions.Method) -> any Method {
            var options = options
            options.method = method
            return LowRankMethod(options, on: shape)
        }
        return switch self {
        case .unolora: lowRank(.unolora)
        case .unoloraStar: lowRank(.unoloraStar)
        case .loraPerTask: lowRank(.loraPerTask)
        case .hyperFormer: HyperFormerMethod(tasks: options.tasks, reduction: Self.reduction(shape), on: shape)
        case .full: FullMethod(on: shape)
        }
    }

    /// How far a tensor is moved from its start: with every weight moved as far as an adapter's, the logits would be so large
    /// that every example had the same answer.
    var deviation: Double { self == .full ? 0.05 : 0.15 }
}

extension TinyAdapter {
    /// A method with the options of `TinyMethod.method`, not at its start.
    init(_ tiny: TinyT5, _ method: TinyMethod, _ options: LowRankOptions) {
        self.init(tiny, method.method(options, on: tiny.model.configuration), deviation: method.deviation)
    }
}
