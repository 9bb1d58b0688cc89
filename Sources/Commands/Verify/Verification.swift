import Backbone
public import Configuration
public import Failures
import Foundation
import Optimizers
import Tensors
public import Training

/// The result of replaying one parity case; one JSON line for the user.
public struct VerificationReport: Codable, Sendable {
    /// The case's directory.
    public var `case`: String
    /// What computed the products with frozen weights, such as `bf16x3 by tiles (AMX)`.
    public var products: String
    /// Whether every figure is within tolerance and the generated tokens are equal.
    public var passed: Bool
    /// Largest error of each figure relative to its scale; `Verification.tolerance` is the limit.
    public var errors: [String: Double]
    /// The tensor with the largest error of all gradients, and that error.
    public var worstGradient: String?
    /// The tensor with the largest error of all replayed optimiser steps, and that error.
    public var worstStep: String?
    /// Whether the generated tokens are equal.
    public var generatedEqual: Bool
    /// Figures beyond the tolerance.
    public var failed: [String]

    /// The report as one line.
    public func jsonLine() throws(Failure) -> String {
        // NaN and infinity are the figures that must be visible.
        let line = try StableJSON.line(self, "the report of \(self.case)", nonFiniteAsText: true)
        return String(decoding: line, as: UTF8.self)
    }
}

/// A case that could not be replayed; one JSON line for the user.
public struct VerificationRefusal: Codable, Sendable {
    /// The case's directory.
    public var `case`: String
    /// Always false.
    public var passed = false
    /// Why, in one sentence.
    public var failure: String

    /// The refusal of the case in a directory.
    public init(case path: String, _ failure: Failure) {
        self.case = path
        self.failure = failure.message
    }

    /// The refusal as one line.
    public func jsonLine() throws(Failure) -> String {
        String(decoding: try StableJSON.line(self, "the report of \(self.case)"), as: UTF8.self)
    }
}

/// Replays parity cases on this build and machine.
public enum Verification {
    /// Largest error that passes, relative to a tensor's largest magnitude; for gradients relative to 1e-3 of the case's
    /// largest gradient if that is more.
    public static let tolerance = 2e-4

    /// Replays the case in a directory with these products. Throws when the case cannot be read.
    public static func replay(
        path: String, backend: ProductBackend, products: ModelProducts = .float32
    ) throws(Failure) -> VerificationReport {
        let replay = try CaseReplay(ParityCase(path: path, backend: backend, products: products))
        return try replay.report(computedBy: "\(backend.meaning(of: products).rawValue) by \(backend.version)")
    }
}

/// The figures of one case, computed and compared.
private struct CaseReplay {
    private let parity: ParityCase
    private let engine: any BackboneEngine
    private let gradients: Arena
    private var errors: [String: Double] = [:]

    init(_ parity: ParityCase) {
        self.parity = parity
        gradients = Arena(count: parity.method.parameters.count)
        engine = parity.method.applied(to: parity.model, weights: parity.weights.readOnly)
            .engine(
                parity.method.adaptation(weights: parity.weights.readOnly, gradients: gradients), workspace: Workspace()
            )
    }

    func report(computedBy products: String) throws(Failure) -> VerificationReport {
        var run = self
        try run.compareForward()
        if !(parity.settings.forwardOnly ?? false) {
            try run.compareGradients()
            try run.compareSteps()
        }
        let equal = try run.generatesTheSame()
        let errors = run.errors
        func worst(_ prefix: String) -> String? {
            // A NaN counts as worse than any number.
            errors.filter { $0.key.hasPrefix(prefix) }
                .max { $1.value.isNaN ? !$0.value.isNaN : $0.value < $1.value }
                .map { "\($0.key) \(String(format: "%.2e", $0.value))" }
        }
        // `error > tolerance` would be false for NaN, so the comparison is negated.
        let failed = errors.filter { !($0.value <= Verification.tolerance) }.keys.sorted()
        return VerificationReport(
            case: parity.path, products: products, passed: failed.isEmpty && equal, errors: errors,
            worstGradient: worst("grad."),
            worstStep: worst("step."), generatedEqual: equal, failed: failed)
    }

    private var dropout: DropoutKey? {
        let settings = parity.settings
        guard settings.dropout != nil || settings.loraDropout != nil else { return nil }
        return DropoutKey(seed: settings.seed ?? 0, step: settings.step ?? 0, rate: settings.dropout ?? 0)
    }

    private mutating func compareForward() throws(Failure) {
        let batch = parity.batch
        // Some cases contain the decoder's output after the labels, others contain zeros; both are checked.
        let decoded = try logitsContinue() ? parity.batchWithPaddedTargets : batch
        let logits = engine.logits(decoded, dropout: dropout)
        errors["logits"] = try compare(
            logits, lengths: decoded.targetLengths, padded: parity.paddedTargets, with: "logits")
        for result in engine.intermediateResults {
            errors[result.name] = try compare(
                result.values, lengths: result.isOfSources ? batch.sourceLengths : decoded.targetLengths,
                padded: result.isOfSources ? parity.paddedSources : parity.paddedTargets, with: result.name)
        }
        let loss = engine.forward(batch, dropout: dropout, labelSmoothing: parity.settings.labelSmoothing ?? 0)
        engine.backward()
        let expected = Double(try parity.numbers.readFloats(named: "loss").first ?? .nan)
        let value = loss.sum * reductionFactor
        errors["loss"] = abs(value - expected) / abs(expected)
    }

    /// Whether the case's logits continue after the labels of an example.
    private func logitsContinue() throws(Failure) -> Bool {
        let columns = parity.model.shape.vocabularySize
        let logits = try read("logits", count: parity.batch.count * parity.paddedTargets * columns)
        return parity.batch.targetLengths.enumerated().contains { i, length in
            let rows = i * parity.paddedTargets + length..<(i + 1) * parity.paddedTargets
            return logits[rows.lowerBound * columns..<rows.upperBound * columns].contains { $0 != 0 }
        }
    }

    private var reductionFactor: Double {
        parity.settings.lossReduction == "sum" ? 1 : 1 / Double(parity.batch.targets.count)
    }

    private mutating func compareGradients() throws(Failure) {
        let entries = parity.method.parameters.entries
        var expected: [String: [Float]] = [:]
        for entry in entries {
            expected[entry.name] = try read("grad." + entry.name, count: entry.count)
        }
        let largest = expected.values.map { magnitude($0) }.max() ?? 0
        let factor = Float(reductionFactor)
        for entry in entries {
            let values = unsafe gradients.elements[entry.range].map { $0 * factor }
            let reference = expected[entry.name] ?? []
            errors["grad." + entry.name] = difference(values, reference) / max(magnitude(reference), 1e-3 * largest)
        }
        try refuseUnknown(prefix: "grad.")
    }

    /// Makes one AdamW step from the case's own gradients: this tests the optimiser, not the sign of rounding errors.
    private mutating func compareSteps() throws(Failure) {
        let layout = parity.method.parameters
        guard layout.count > 0 else { return }
        let (weights, given) = (Arena(count: layout.count), Arena(count: layout.count))
        weights.copy(from: parity.weights)
        for entry in layout.entries {
            let values = try read("grad." + entry.name, count: entry.count)
            unsafe (given.base + entry.offset).update(from: values, count: entry.count)
        }
        AdamW().update(
            weights, gradients: given, mean: Arena(count: layout.count), square: Arena(count: layout.count),
            learningRate: 1e-3, count: 1)
        for entry in layout.entries {
            let reference = try read("step." + entry.name, count: entry.count)
            errors["step." + entry.name] =
                unsafe difference(Array(weights.elements[entry.range]), reference) / max(magnitude(reference), 1e-30)
        }
        try refuseUnknown(prefix: "step.")
    }

    private func generatesTheSame() throws(Failure) -> Bool {
        let shape = try parity.numbers.tensor(named: "generated").shape
        guard shape.count == 2, shape[0] == parity.batch.count else {
            throw Failure(.badData, "\(parity.path): generated has shape \(shape), but one row per example is needed")
        }
        let expected = try parity.numbers.readInt32(named: "generated")
        let limits = Array(repeating: shape[1], count: parity.batch.count)
        // A failed generation counts as different; the figure of the logits shows the reason.
        guard let answers = try? engine.generate(parity.batch, maxNewTokens: limits) else { return false }
        for (i, answer) in answers.enumerated() {
            let padded = answer + Array(repeating: 0, count: shape[1] - answer.count)
            if padded != Array(expected[i * shape[1]..<(i + 1) * shape[1]]) { return false }
        }
        return true
    }

    /// Compares ragged rows with a padded tensor `[examples, padded, columns]`, whose padding must be zero.
    private func compare(
        _ rows: Matrix, lengths: [Int], padded: Int, with name: String
    ) throws(Failure) -> Double {
        let reference = try read(name, count: lengths.count * padded * rows.columns)
        var (row, worst, scale) = (0, 0.0, 0.0)
        for (i, length) in lengths.enumerated() {
            for position in 0..<padded {
                let start = (i * padded + position) * rows.columns
                let part = Array(reference[start..<start + rows.columns])
                let isPadding = position >= length
                let values = isPadding ? Array(repeating: 0, count: part.count) : rows.rows(row, 1).copied()
                worst = maximumKeepingNaN(worst, difference(values, part))
                scale = max(scale, isPadding ? 0 : magnitude(part))
                row += isPadding ? 0 : 1
            }
        }
        return worst / max(scale, 1e-30)
    }

    private func read(_ name: String, count: Int) throws(Failure) -> [Float] {
        let values = try parity.numbers.readFloats(named: name)
        guard values.count == count else {
            throw Failure(
                .badData, "\(parity.path): tensor \(name) has \(values.count) elements, but \(count) are needed")
        }
        return values
    }

    private func refuseUnknown(prefix: String) throws(Failure) {
        for tensor in parity.numbers.tensors where tensor.name.hasPrefix(prefix) {
            guard parity.method.parameters[String(tensor.name.dropFirst(prefix.count))] != nil else {
                throw Failure(.badData, "\(parity.path): \(tensor.name) is of no trainable of this method")
            }
        }
    }

    private func magnitude(_ values: [Float]) -> Double {
        values.reduce(0) { max($0, Double($1.magnitude)) }
    }

    private func difference(_ a: [Float], _ b: [Float]) -> Double {
        zip(a, b).reduce(0) { maximumKeepingNaN($0, abs(Double($1.0) - Double($1.1))) }
    }

    private func maximumKeepingNaN(_ a: Double, _ b: Double) -> Double {
        a.isNaN || b.isNaN ? .nan : max(a, b)
    }
}
