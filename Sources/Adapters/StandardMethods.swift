import Failures

extension MethodTable {
    /// The methods of this program: a new one needs a folder next to `LowRank` and a line here.
    public static let standard = MethodTable([
        low("frozen", .frozen),
        low("unolora", .unolora),
        low("unolora_star", .unoloraStar),
        low("lora_per_task", .loraPerTask),
        Entry("hyperformer_pp", HyperFormerMethod.make),
        Entry("full", FullMethod.make),
    ])

    private static func low(_ name: String, _ known: LowRankOptions.Method) -> Entry {
        Entry(name) { configuration, shape, source throws(Failure) in
            try LowRankMethod.make(known, configuration, shape, source)
        }
    }
}
