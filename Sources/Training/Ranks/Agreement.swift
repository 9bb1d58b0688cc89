package import Configuration
package import Failures
import Kernels
package import MPI
import Tensors

/// The exchange at start-up that ensures that all ranks are about to do the same, because a reduction of different buffers is
/// undefined in MPI.
package enum Agreement {
    /// Something that must be the same on all ranks.
    package struct Part {
        /// Its name in a message.
        var name: String
        /// The text to compare: a configuration's `sharedText` or a digest.
        var text: String
        /// Whether the text consists of lines `key: value`; a message then says which keys differ.
        var hasKeys = false
        /// What to do about a short text that differs, which the message then shows; nil for texts that are digests.
        var remedy: String?

        /// Creates a part.
        package init(name: String, text: String, hasKeys: Bool = false, remedy: String? = nil) {
            self.name = name
            self.text = text
            self.hasKeys = hasKeys
            self.remedy = remedy
        }

        package static func configuration(_ configuration: RunConfiguration) -> Part {
            Part(name: "configuration", text: configuration.sharedText, hasKeys: true)
        }

        /// Other kernels, or another version, give matrix products with other bits.
        package static func kernels(_ coreType: String, of description: String) -> [Part] {
            [
                Part(
                    name: "choice of BLAS kernels", text: coreType,
                    remedy: "set OPENBLAS_CORETYPE to kernels that all nodes have"),
                Part(name: "BLAS library", text: description, remedy: "use the same library on all nodes"),
            ]
        }

        /// The library of the products with frozen weights and the program's own loops; `freedom` decides what helps.
        static func products(
            _ backend: ProductBackend, _ products: ModelProducts, _ freedom: ProductFreedom
        ) -> [Part] {
            [
                Part(
                    name: "way to multiply by frozen weights", text: backend.version(for: products),
                    remedy: freedom.remedy(products)),
                Part(
                    name: "version of the program's loops", text: "kernels for \(KernelBuild.name)",
                    remedy: "use the same program on all nodes, with the same UNOLORA_VECTORS, as avx2, or without it"),
            ]
        }

        /// What computes in a measurement, `products` those with frozen weights.
        package static func loops(by products: String) -> Part {
            Part(
                name: "way to compute", text: "\(products), kernels for \(KernelBuild.name), \(KernelBuild.loops)",
                remedy: "measure on nodes of one kind, with the same program and the same UNOLORA_VECTORS, if any")
        }
    }

    /// Compares parts over all ranks; collective. Returns one word for all of them. Throws `ranksDisagree` with the first rank
    /// that differs and what differs.
    @discardableResult
    package static func check(_ parts: [Part], world: Communicator) throws(Failure) -> UInt64 {
        let words = parts.flatMap { ContentDigest(of: $0.text).words }
        let all = try world.allGather(words)
        guard let odd = all.indices.first(where: { all[$0] != all[0] }) else {
            return words.reduce(0) { ($0 &* 0x100_0000_01B3) ^ $1 }
        }
        let part = parts[(words.indices.first { all[odd][$0] != all[0][$0] } ?? 0) / 2]
        // All ranks have found the same difference, so they can still exchange the details.
        let reference = try world.broadcast(Array(part.text.utf8), from: 0)
        guard world.rank == odd else {
            // The rank that differs ends the job.
            try world.barrier()
            throw Failure(.ranksDisagree, "rank \(odd) has another \(part.name) than rank 0")
        }
        if let remedy = part.remedy {
            throw Failure(
                .ranksDisagree,
                "rank \(odd) has another \(part.name) than rank 0 (\(part.text) and "
                    + "\(String(decoding: reference, as: UTF8.self))), so the result would depend on who computes what; "
                    + "\(remedy)")
        }
        var detail = ""
        if part.hasKeys {
            let differences = RunConfiguration.differences(
                from: String(decoding: reference, as: UTF8.self), to: part.text)
            detail = differences.first.map { " (\($0))" } ?? ""
        }
        throw Failure(
            .ranksDisagree,
            "rank \(odd) has another \(part.name) than rank 0\(detail); start all ranks with the same program, files and "
                + "arguments")
    }
}
