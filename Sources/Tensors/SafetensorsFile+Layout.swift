public import Failures

extension SafetensorsFile {
    /// Overwrites arenas with the tensors of a layout. The tensors of an arena have the arena's prefix before the layout's
    /// names.
    ///
    /// Throws what `check` throws; then no arena was changed.
    public func load(_ layout: ParameterLayout, into arenas: [(prefix: String, arena: Arena)]) throws(Failure) {
        try check(layout, prefixes: arenas.map(\.prefix))
        for (_, arena) in arenas where arena.count != layout.count {
            throw Failure(
                .internal,
                "an arena of \(arena.count) elements was given for a layout of \(layout.count); report this")
        }
        for (prefix, arena) in arenas {
            for entry in layout.entries {
                try unsafe convert(try tensor(named: prefix + entry.name), into: arena.base + entry.offset)
            }
        }
    }

    /// Checks that the file holds exactly the tensors of a layout, once for each prefix, as F32, F16 or BF16. `badData` names
    /// the first tensor that is missing, extra, or has another shape or type. It needs no memory for the tensors.
    public func check(_ layout: ParameterLayout, prefixes: [String] = [""]) throws(Failure) {
        var expected: Set<String> = []
        for prefix in prefixes {
            for entry in layout.entries {
                expected.insert(prefix + entry.name)
                try check(prefix + entry.name, shape: entry.shape)
            }
        }
        if let extra = tensors.first(where: { !expected.contains($0.name) }) {
            throw Failure(
                .badData,
                "\(path.shown) holds tensor '\(extra.name.shown)', which the configured method does not have; use it "
                    + "with the method, targets and backbone that it was trained with")
        }
    }

    private func check(_ name: String, shape: [Int]) throws(Failure) {
        guard let tensor = self[name] else {
            throw Failure(
                .badData,
                "\(path.shown) has no tensor '\(name.shown)', which the configured method needs; use it with the "
                    + "method, targets and backbone that it was trained with")
        }
        guard tensor.shape == shape else {
            throw Failure(
                .badData,
                "tensor '\(name.shown)' of \(path.shown) has shape \(tensor.shape) but the configured method needs "
                    + "\(shape); use it with the ranks, task count and backbone that it was trained with")
        }
        guard tensor.elementType.convertsToFloat else {
            throw Failure(
                .badData,
                "tensor '\(name.shown)' of \(path.shown) is \(tensor.elementType.rawValue), but F32, F16 or BF16 is "
                    + "needed here; save it again as one of these")
        }
    }
}
