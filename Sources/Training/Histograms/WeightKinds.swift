import Backbone
import Runs
import Tensors

/// Trained weights that are of one kind: all A of the encoder's query projections, for example. What a method trains is drawn
/// kind by kind.
struct WeightKind {
    /// The most weights of a kind that are counted, so that the histograms of millions of weights take no longer than a part of a
    /// second.
    static let most = 1 << 20

    /// The kind's name, such as `A/encoderSelf.q`; for weights of a single task followed by its name.
    let tag: String
    /// Where the weights are in the arena.
    private(set) var places: [Range<Int>] = []
    private var widths: Set<Int> = []

    private init(_ tag: String) { self.tag = tag }

    /// Every which weight is counted. It has no factor in common with the width of a matrix, so that all columns count alike.
    var stride: Int {
        let count = places.reduce(0) { $0 + $1.count }
        var stride = (count + Self.most - 1) / Self.most
        while stride > 1, widths.contains(where: { Self.commonFactor($0, stride) > 1 }) { stride += 1 }
        return max(stride, 1)
    }

    /// How the weights are distributed; nil if no number is finite.
    func histogram(_ weights: ReadOnlyArena) -> Histogram? {
        unsafe Histogram(places.map { unsafe UnsafeBufferPointer(rebasing: weights.elements[$0]) }, stride: stride)
    }

    private static func commonFactor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : commonFactor(b, a % b) }

    /// The kinds of a method's trained tensors, in the order in which they first occur.
    static func all(of method: any Method, on shape: any BackboneShape, tasks: [String]) -> [WeightKind] {
        var sites: [String: String] = [:]
        for group in shape.projectionGroups() {
            for projection in group.projections { sites[projection.name] = "\(group.region).\(projection.leaf)" }
        }
        var kinds: [WeightKind] = []
        var numbers: [String: Int] = [:]
        func add(_ tag: String, _ place: Range<Int>, width: Int) {
            let number = numbers[tag] ?? kinds.count
            if number == kinds.count {
                numbers[tag] = number
                kinds.append(WeightKind(tag))
            }
            kinds[number].places.append(place)
            kinds[number].widths.insert(width)
        }
        for entry in method.parameters.entries where !(method.trainedRows(of: entry)?.isEmpty ?? false) {
            let (tag, isOfSite) = name(of: entry.name, sites, isNorm: shape.isNorm(entry.name))
            let width = entry.shape.last ?? 1
            if isOfSite, method.isPerTask(entry), entry.shape.first == tasks.count {
                let size = entry.count / tasks.count
                for (task, name) in tasks.enumerated() {
                    let first = entry.offset + task * size
                    add("\(tag)/\(name)", first..<first + size, width: width)
                }
            } else {
                add(tag, entry.range, width: width)
            }
        }
        return kinds
    }

    /// The kind of a tensor, and whether it belongs to a projection: `A/decoderCross.v`, `W/encoderFeedForward.wi` (a matrix of the
    /// backbone), `norm/decoder`, `hypernet/mlp`, and otherwise the name without the numbers of blocks and layers.
    private static func name(
        of tensor: String, _ sites: [String: String], isNorm: Bool
    ) -> (tag: String, isOfSite: Bool) {
        let parts = tensor.split(separator: ".").map(String.init)
        for (suffix, matrix) in [
            (".lora_A.weight", "A"), (".lora_B.weight", "B"), (".lora_C.weight", "C"), (".weight", "W"),
        ]
        where tensor.hasSuffix(suffix) {
            if let site = sites[String(tensor.dropLast(suffix.count))] { return ("\(matrix)/\(site)", true) }
        }
        if isNorm { return ("norm/\(parts[0])", false) }
        var kept = parts.filter { Int($0) == nil && $0 != "block" && $0 != "layer" }
        if kept.count > 1, kept.last == "weight" { kept.removeLast() }
        let isGenerator = kept.count > 1 && kept[0] == "hypernet"
        return ((isGenerator ? "hypernet/" : "W/") + kept.dropFirst(isGenerator ? 1 : 0).joined(separator: "."), false)
    }
}
