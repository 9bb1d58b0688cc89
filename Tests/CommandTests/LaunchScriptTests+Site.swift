import Foundation
import TestSupport
import Testing

/// The site's file, and a job without a configuration.
extension LaunchScriptTests {
    @Test func `--out alone is the directory of the embedded example`() throws {
        let cluster = try Cluster(code: 0)
        try cluster.command(".build/release/unolora-dist", "")
        let result = try cluster.submit(["--out", "there"])
        #expect(result.code == 0, "\(result)")
        let line = "unolora-dist train --out there --resume auto --set checkpoint.snapshot=file\n"
        #expect(result.output.contains(line), "\(result.output)")
    }

    @Test func `a site's file that is not there is named`() throws {
        let cluster = try Cluster(code: 0)
        try cluster.command(".build/release/unolora-dist", "")
        let result = try cluster.submit(["run.yaml"], environment: ["UNOLORA_SITE": "nowhere"])
        #expect(result.code == 66 && result.output.isEmpty, "\(result)")
        #expect(result.error == "train.sbatch: UNOLORA_SITE names nowhere, which is not there.\n", "\(result.error)")
    }

    /// A reader takes the lines by removing the number sign before them.
    @Test func `each commented line of the project's site file can be made active`() throws {
        let site = Self.scripts + "/../cluster/site.env"
        let text = try String(contentsOfFile: site, encoding: .utf8)
        let exports = text.split(separator: "\n").filter { $0.hasPrefix("# export ") }.map { $0.dropFirst(2) }
        #expect(exports.count >= 3)
        for active in exports.map({ [$0] }) + [exports] {
            let cluster = try Cluster(code: 0)
            try cluster.command(".build/release/unolora-dist", "")
            try cluster.directory.write("cluster/site.env", text + active.joined(separator: "\n") + "\n")
            let result = try cluster.submit(["run.yaml"], environment: ["SCRATCH": cluster.path + "/scratch"])
            #expect(result.code == 0 && result.error.isEmpty, "\(active): \(result)")
            for line in active {
                if line.hasPrefix("export UNOLORA_MPI=") {
                    #expect(
                        result.output.contains("srun --mpi=\(line.dropFirst("export UNOLORA_MPI=".count)) "),
                        "\(result)")
                }
                if line.hasPrefix("export UNOLORA_RUN=") {
                    #expect(result.output.contains(" --out \(cluster.path)/scratch/runs/unolora-77 "), "\(result)")
                }
            }
        }
    }
}
