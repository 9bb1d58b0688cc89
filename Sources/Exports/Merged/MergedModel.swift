import Backbone
package import Failures
import Foundation
import Heartbeat
import Tensors
import Training

/// A model directory of Hugging Face with an adapter's change in its weights: the same files as the base's, shard for shard and
/// tensor for tensor, with the same types. Tensors without a change keep their bytes.
package struct MergedModel {
    private let base: String
    private let change: any WeightChange

    /// The model in the directory `base` with a change.
    package init(base: String, change: any WeightChange) {
        (self.base, self.change) = (base, change)
    }

    /// Writes all files but the model card. In memory there is at most one tensor beside the mapped file. Throws `badData` when the
    /// base lacks a tensor that is to change, before anything is written, or when one of its files has changed meanwhile, and `notFinite` when a new weight is beyond its type.
    package func write(into directory: String) throws(Failure) -> RoundingCost {
        let files = try TensorCollection(directory: base, isWatched: true)
        let absent = change.absent(among: Set(files.files.flatMap { $0.tensors.map(\.name) }))
        if let first = absent.first {
            let others = absent.count > 1 ? " and \(absent.count - 1) more that it changes" : ""
            throw Failure(
                .badData,
                "\(base.shown) has no tensor \(first.shown)\(others), so the merged model would lack a part of the adapter; give "
                    + "the base on which it was trained, or export it as peft or native")
        }
        for (name, content) in try ModelFiles.unchanged(besideWeightsOf: base).sorted(by: { $0.key < $1.key }) {
            try DurableFile.write(content, to: "\(directory)/\(name)")
        }
        if let index = try files.index() { try DurableFile.write(index.content, to: "\(directory)/\(index.name)") }
        var cost = RoundingCost()
        for file in files.files { try write(file, into: directory, &cost) }
        if let (path, change) = files.change {
            throw Failure(.badData, "\(path) \(change) while it was read; start again when it is whole")
        }
        return cost
    }

    private func write(_ file: SafetensorsFile, into directory: String, _ cost: inout RoundingCost) throws(Failure) {
        let output = try DurableFile(
            creating: "\(directory)/\(URL(fileURLWithPath: file.path).lastPathComponent)", exclusively: true)
        // The header names types, shapes and places, which all stay.
        try unsafe output.write(file.header)
        for tensor in file.tensors {
            Heartbeat.beat()
            if let change = change.change(of: tensor.name) {
                try write(tensor, of: file, change, to: output, &cost)
            } else {
                try unsafe output.write(file.bytes(of: tensor))
            }
        }
        _ = try output.finish()
        file.releasePages()
    }

    private func write(
        _ tensor: TensorDescription, of file: SafetensorsFile, _ change: TensorChange, to output: DurableFile,
        _ cost: inout RoundingCost
    ) throws(Failure) {
        let type = tensor.elementType
        let old = try file.readFloats(named: tensor.name)
        guard old.count == change.rows * change.columns else {
            throw Failure(
                .badData, "\(file.path.shown): tensor \(tensor.name.shown) has another shape than the adapter's")
        }
        var row = [Double](repeating: 0, count: change.columns)
        var (sums, updates) = (row, row)
        var (rounding, update) = (0.0, 0.0)
        var bytes: [UInt8] = []
        for index in 0..<change.rows {
            for column in row.indices { row[column] = Double(old[index * row.count + column]) }
            change.row(index, row, &sums, &updates)
            bytes.removeAll(keepingCapacity: true)
            for column in row.indices {
                // An unchanged number keeps its bytes, also the sign of a zero.
                let value = updates[column] == 0 ? row[column] : StoredRounding.nearest(sums[column], type)
                guard value.isFinite else {
                    throw Failure(
                        .notFinite,
                        "a weight of \(tensor.name) becomes \(sums[column]), which \(type.rawValue) cannot hold; export the "
                            + "adapter as peft or native, or save the base in F32 first")
                }
                let error = value - sums[column]
                rounding += error * error
                update += updates[column] * updates[column]
                StoredRounding.append(value, type, to: &bytes)
            }
            try output.write(bytes)
        }
        cost.add(tensor.name, type: type.rawValue, rounding: rounding, update: update)
    }
}
