import Foundation
import Tensors

extension JobRecord {
    /// The lines of a run; none where they cannot be read. Lines that are no records, such as one that was cut off, are left out.
    package static func read(_ run: RunDirectory) -> [JobRecord] {
        guard let file = try? MappedFile(path: run.jobs, followingLinks: false) else { return [] }
        let text = withExtendedLifetime(file) { unsafe Data(file.bytes) }
        return text.split(separator: UInt8(ascii: "\n")).compactMap {
            try? BoundedJSON.decode(JobRecord.self, from: $0)
        }
    }

    /// In what the jobs differ that computed the first `steps` steps of a run, a part of a sentence for each library. A job that
    /// did not say what computed it counts as none.
    package static func differences(among records: [JobRecord], through steps: Int) -> [String] {
        var jobs: [JobRecord] = []
        for record in records where record.kind == .start {
            // What was computed after this step is computed again.
            jobs.removeAll { $0.step >= record.step }
            jobs.append(record)
        }
        jobs.removeAll { $0.step >= steps }
        let names = Set(jobs.flatMap { ($0.libraries ?? [:]).keys }).sorted()
        return names.compactMap { name in
            var parts: [(step: Int, value: String)] = []
            for job in jobs {
                guard let libraries = job.libraries else { continue }
                let value = libraries[name] ?? "absent"
                if parts.last?.value != value { parts.append((job.step, value)) }
            }
            guard parts.count > 1 else { return nil }
            let list = parts.map { $0.step == 0 ? "\($0.value) from the start" : "\($0.value) after step \($0.step)" }
            return "\(name) was \(list.joined(separator: " and then "))"
        }
    }
}
