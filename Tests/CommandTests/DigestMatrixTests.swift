import Foundation
import TestSupport
import Testing

extension ProgramTests {
    /// One run in many variants: different numbers of ranks and threads, stops with other ranks afterwards, with and without
    /// evaluations, with mpirun or without. All end with the same bits of weights, moments and metrics.
    @Suite struct DigestMatrixTests {
        /// A part of the run, to a step or to the end.
        struct Leg: Sendable {
            /// nil: without mpirun.
            var ranks: Int?
            var threads: Int
            var stop: Int?
        }

        struct Way: CustomTestStringConvertible, Sendable {
            var legs: [Leg]
            var evaluates = true
            var method = "unolora_star"

            var testDescription: String {
                let parts = legs.map { leg in
                    (leg.ranks.map { "\($0) ranks" } ?? "alone") + " x \(leg.threads)"
                        + (leg.stop.map { " to step \($0)" } ?? "")
                }
                return parts.joined(separator: ", ") + (evaluates ? "" : ", not evaluated")
                    + (method == "unolora_star" ? "" : ", \(method)")
            }
        }

        /// From the start to the end without a stop.
        private static let straight = [
            (nil, 2), (nil, 3), (nil, 4), (1, 1), (1, 4), (2, 1), (2, 3), (2, 4), (3, 1), (3, 2), (4, 1), (4, 2),
            (5, 1),
            (6, 1), (7, 1), (8, 1), (8, 2),
        ].map { Way(legs: [Leg(ranks: $0.0, threads: $0.1)]) }

        private static let interrupted = [
            Way(legs: [Leg(ranks: 8, threads: 1, stop: 3), Leg(ranks: nil, threads: 1)]),
            Way(legs: [Leg(ranks: nil, threads: 4, stop: 1), Leg(ranks: 5, threads: 1)]),
            Way(legs: [
                Leg(ranks: 2, threads: 2, stop: 2), Leg(ranks: 7, threads: 1, stop: 5),
                Leg(ranks: 1, threads: 3, stop: 8),
                Leg(ranks: 3, threads: 1, stop: 11), Leg(ranks: 6, threads: 1),
            ]),
            Way(legs: (1..<12).map { Leg(ranks: [nil, 1, 2, 3][$0 % 4], threads: 1, stop: $0) } + [Leg(threads: 1)]),
        ]

        private static let unevaluated = [
            Way(legs: [Leg(threads: 1)], evaluates: false), Way(legs: [Leg(ranks: 3, threads: 2)], evaluates: false),
            Way(legs: [Leg(ranks: 2, threads: 1, stop: 8), Leg(ranks: 4, threads: 1)], evaluates: false),
        ]

        /// Not a method: `unolora_star` with every A frozen.
        private static let frozenA = "unolora_star with frozen A"

        /// Methods of which every trainable, or every example's task, decides the memory and the traffic of a step, and one of which
        /// only a part of the weights does.
        private static let others = ["hyperformer_pp", "full", frozenA].flatMap { method in
            [
                Way(legs: [Leg(ranks: 8, threads: 1)], method: method),
                Way(
                    legs: [
                        Leg(ranks: 3, threads: 2, stop: 5), Leg(ranks: nil, threads: 3, stop: 9),
                        Leg(ranks: 2, threads: 1),
                    ],
                    method: method),
            ]
        }

        /// The project of each method, with a micro-batch for each of eight ranks, and the result of a single thread.
        private static let shared = Swift.Result {
            let project = try TinyProject()
            return try Dictionary(
                uniqueKeysWithValues: ["unolora_star", "hyperformer_pp", "full", frozenA].map { method in
                    let copy = try project.copy(method: method == frozenA ? "unolora_star" : method)
                    if method == frozenA {
                        try copy.replace("lora: {rank: 4}", by: "lora: {rank: 4, freezeA: true}", in: "run.yaml")
                    }
                    return (method, (copy, try outcome(copy, Way(legs: [Leg(threads: 1)], method: method))))
                })
        }

        private static func outcome(_ project: TinyProject, _ way: Way) throws -> Outcome {
            let out = try TemporaryDirectory()
            let run = out.file("run")
            let evaluation = way.evaluates ? [] : ["--set", "eval.every=null", "--set", "eval.atEnd=false"]
            for leg in way.legs {
                let result = try Program.run(
                    [
                        "train", "--config", project.configuration, "--out", run, "--set", "batch.micro=2", "--set",
                        "parallel.threads=\(leg.threads)", "--set", "data.cache=\(project.file("cache"))",
                    ] + evaluation + (leg.stop.map { ["--stop-after", String($0)] } ?? []), ranks: leg.ranks)
                #expect(result.code == (leg.stop == nil ? 0 : 85), "\(way.testDescription): \(result.error)")
            }
            return try Outcome(run: run)
        }

        @Test(arguments: straight + interrupted + unevaluated + others)
        func `a run has the same bits however it is run`(way: Way) throws {
            let (project, reference) = try #require(Self.shared.get()[way.method])
            let outcome = try Self.outcome(project, way)
            #expect(outcome.adapter == reference.adapter)
            #expect(outcome.optimizer == reference.optimizer)
            let lines = reference.metrics.filter { way.evaluates || !$0.contains("\"evaluation\"") }
            #expect(outcome.metrics == lines)
            #expect(lines.count == reference.metrics.count - (way.evaluates ? 0 : 2))
            #expect(way.evaluates == (outcome.best != nil))
        }
    }
}
