package import Failures
import Foundation
import Tensors
import Training

/// The files of a LoRA adapter as PEFT writes them.
package enum PEFTDirectory {
    /// `adapter_config.json`. The keys are those that every version of PEFT since 0.7 knows; the library refuses or warns about keys
    /// that it does not know, and takes its defaults for absent ones.
    private struct Configuration: Encodable {
        let alpha_pattern: [String: Double] = [:]
        var base_model_name_or_path: String
        let bias = "none"
        let fan_in_fan_out = false
        let inference_mode = true
        let init_lora_weights = true
        var lora_alpha: Double
        var lora_dropout: Double
        let peft_type = "LORA"
        var r: Int
        let rank_pattern: [String: Int] = [:]
        /// The full paths of the modules: by the end of a path the library would match sites of other stacks too.
        var target_modules: [String]
        let task_type = "SEQ_2_SEQ_LM"
        let use_rslora = false
    }

    /// Writes both files. `base` is the name or the path from which the library loads the base.
    package static func write(_ adapter: StaticAdapter, base: String, into directory: String) throws(Failure) {
        let configuration = Configuration(
            base_model_name_or_path: base, lora_alpha: adapter.alpha, lora_dropout: adapter.dropout, r: adapter.rank,
            target_modules: adapter.sites.map(\.module))
        var json = try StableJSON.document(configuration, PEFTNames.configuration)
        json.append(0x0A)
        try DurableFile.write(json, to: "\(directory)/\(PEFTNames.configuration)")
        var writer = SafetensorsWriter(metadata: ["format": "pt"])
        for site in adapter.sites {
            let name = PEFTNames.prefix + site.module
            try writer.add(name + PEFTNames.a, [adapter.rank, site.inputWidth], site.a)
            try writer.add(name + PEFTNames.b, [site.outputWidth, adapter.rank], site.b)
        }
        try writer.write(to: "\(directory)/\(PEFTNames.weights)")
    }
}
