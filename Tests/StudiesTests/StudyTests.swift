import Configuration
import Studies
import Tasks
import Testing

@Suite struct StudyTests {
    @Test func `the runs are rows by grid points by seeds by tasks`() throws {
        let study = try study(
            """
            rows:
              - {name: multi}
              - {name: single, tasks: each}
            grid: {lora.rank: [2, 4], hyper.dim: [4]}
            seeds: [1, 3]
            set: {method: unolora_star}
            """)
        #expect(
            study.runs.filter { $0.line < 2 }.map(\.name) == [
                "multi/lora.rank=2,hyper.dim=4/seed-1", "multi/lora.rank=2,hyper.dim=4/seed-3",
                "multi/lora.rank=4,hyper.dim=4/seed-1", "multi/lora.rank=4,hyper.dim=4/seed-3",
            ])
        #expect(
            study.runs.filter { $0.line == 2 }.map(\.name) == [
                "single/lora.rank=2,hyper.dim=4/seed-1/cola", "single/lora.rank=2,hyper.dim=4/seed-1/rte",
                "single/lora.rank=2,hyper.dim=4/seed-3/cola", "single/lora.rank=2,hyper.dim=4/seed-3/rte",
            ])
        #expect(study.runs.count == 12 && study.runs.map(\.configuration.seed).prefix(4) == [1, 3, 1, 3])
        #expect(study.lines[1].title == "multi lora.rank=4 hyper.dim=4")
        let single = study.runs[5].configuration
        #expect(single.tasks.map(\.name) == ["rte"])
        #expect(
            study.figures.map { "\($0.task) \($0.metric)" } == ["cola matthews", "rte accuracy", "rte f1"])
    }

    /// Values with the same letters and digits have different directories.
    @Test func `the values of a grid have different directories`() throws {
        let study = try study(
            "rows: [{name: a, budget: own}]\ngrid: {tasks: [[cola, rte], [rte, cola]], sampler.temperature: [1, 1.5]}\n"
        )
        #expect(Set(study.runs.map(\.name)).count == 4)
        #expect(study.runs[0].name == "a/tasks=_cola__rte_,sampler.temperature=1/seed-1", "\(study.runs[0].name)")
    }

    /// The mixture draws cola in 75 of 100 steps and rte in 25. Evaluations every 20 steps become every 15 and 5; of the
    /// warmup of 10 steps remain 7.5, rounded to 8, and 2.5, rounded to 3.
    @Test func `each task is seen as often in a run of its own as in the mixture`() throws {
        let runs = try study("rows: [{name: a, tasks: each}]\n").runs.map(\.configuration)
        #expect(runs.map(\.steps) == [75, 25] && runs.map(\.warmup) == [8, 3])
        #expect(runs.map(\.evaluateEvery) == [15, 5])
    }

    /// At temperature 2 the shares are sqrt(300) and sqrt(100) over their sum: 0.634 and 0.366. With a cap of 100 they are equal.
    @Test func `budgets follow temperature and cap of the row`() throws {
        func steps(_ set: String) throws -> [Int] {
            try study("rows: [{name: a, tasks: each, set: {\(set)}}]\n").runs.map(\.configuration.steps)
        }
        #expect(try steps("sampler.temperature: 2") == [63, 37])
        #expect(try steps("sampler.cap: 100") == [50, 50])
        #expect(try steps("train.steps: 1, lr.warmup: 0") == [1, 1])
    }

    @Test func `a row with its own budget makes all steps in each run`() throws {
        let runs = try study("rows: [{name: a, tasks: each, budget: own}]\n").runs.map(\.configuration)
        #expect(runs.map(\.steps) == [100, 100] && runs.map(\.warmup) == [10, 10])
    }

    @Test func `a row of some tasks makes the steps that they have in the mixture`() throws {
        let study = try study("rows:\n  - {name: a, tasks: [rte]}\n  - {name: b}\n")
        #expect(study.runs.map(\.configuration.steps) == [25, 100])
        #expect(study.runs[0].name == "a/seed-1" && study.runs[0].task == nil)
    }

    /// Half as many examples in a step: twice the steps, and twice the warmup and the distance of evaluations.
    @Test func `a row with another batch sees as many examples`() throws {
        func steps(_ text: String, set: [String] = []) throws -> [Int] {
            try study(text, set: set).runs.map(\.configuration.steps)
        }
        let grid = "rows: [{name: a}]\nset: {batch.micro: 2}\ngrid: {batch.global: [16, 32, 64]}\n"
        #expect(try steps(grid) == [200, 100, 50])
        #expect(try steps(grid, set: ["train.steps=10", "lr.warmup=1"]) == [20, 10, 5])
        let first = try study(grid).runs[0].configuration
        #expect(first.warmup == 20 && first.evaluateEvery == 40)
        #expect(try study(grid).scalesSteps && !study("rows: [{name: a}]\n").scalesSteps)
        #expect(try steps("rows: [{name: a, tasks: each, set: {batch.global: 64}}]\n") == [38, 13])
        #expect(try steps("rows: [{name: a, set: {batch.global: 64, train.steps: 90}}]\n") == [90])
        #expect(try steps("rows: [{name: a, budget: own, set: {batch.global: 64}}]\n") == [100])
        #expect(try steps("rows: [{name: a}]\nset: {batch.global: 64}\n") == [100])
    }

    @Test func `the seed of the run is the seed of a study without seeds`() throws {
        let run = base.replacing("{steps: 100}", with: "{steps: 100, seed: 7}")
        let seeds = { (study: Study) in study.runs.map(\.configuration.seed) }
        let own = try study("rows: [{name: a}]\n", run: run)
        #expect(seeds(own) == [7] && own.file.seeds == [7] && own.runs[0].name == "a/seed-7")
        #expect(try seeds(study("rows: [{name: a}]\nseeds: [2, 3]\n", run: run)) == [2, 3])
        #expect(try seeds(study("config: {train.seed: 5}\nrows: [{name: a}]\n")) == [5])
    }

    @Test func `a task without a test split has no run of its own when others have one`() throws {
        let text = "rows:\n  - {name: a, tasks: each}\n  - {name: b}\n"
        let study = try study(text, withoutTest: ["rte"])
        #expect(study.runs.map(\.name) == ["a/seed-1/cola", "b/seed-1"] && study.split == .test)
        #expect(study.notices.count == 1 && study.notices[0].hasSuffix(": rte"))
        #expect(study.figures.map(\.task) == ["cola"])
        let none = try StudiesTests.study(text, withoutTest: ["rte", "cola"])
        #expect(none.runs.count == 3 && none.split == .validation)
    }

    @Test func `a reference is a row at the same grid point, or one line`() throws {
        let text = "rows:\n  - {name: a}\n  - {name: b, set: {lora.alpha: 4}}\ngrid: {lora.rank: [2, 4]}\n"
        #expect(try study(text + "reference: a\n").references == [nil, nil, 0, 1])
        #expect(try study(text + "reference: b lora.rank=2\n").references == [2, 2, nil, 2])
        let single = "rows:\n  - {name: a}\ngrid: {lora.rank: [2, 4]}\nreference: a lora.rank=4\n"
        #expect(try study(single).references == [1, nil])
    }

    @Test func `a row begins with the adapters of another row's runs of the same seed and grid point`() throws {
        let study = try study(
            """
            rows:
              - {name: later, from: source, tasks: [rte]}
              - {name: warm, from: source, set: {init.newTask: random}, tasks: each}
              - {name: source, tasks: [cola]}
              - {name: fresh}
            grid: {lora.rank: [2, 4]}
            seeds: [1, 3]
            """)
        #expect(study.lines.map(\.row) == ["later", "later", "warm", "warm", "source", "source", "fresh", "fresh"])
        #expect(study.lines.indices.map(study.origin) == [4, 5, 4, 5, nil, nil, nil, nil])
        // Those without origin come first, in the order of the lines.
        #expect(study.runs.prefix(8).allSatisfy { $0.origin == nil && $0.configuration.origin == nil })
        #expect(study.runs[0].name == "source/lora.rank=2/seed-1")
        let warm = try #require(study.runs.first { $0.name == "warm/lora.rank=4/seed-3/rte" })
        #expect(warm.origin == "source/lora.rank=4/seed-3")
        #expect(warm.configuration.origin == "/out/runs/source/lora.rank=4/seed-3")
        #expect(warm.configuration.resolvedYAML.contains("  newTask: random\n"))
    }

    @Test func `origins of origins come first of all`() throws {
        let study = try study(
            """
            rows:
              - {name: third, from: second, tasks: [rte]}
              - {name: second, from: first, tasks: [rte], set: {lr.peak: 1e-3}}
              - {name: first, tasks: [cola]}
            """)
        #expect(study.runs.map(\.name) == ["first/seed-1", "second/seed-1", "third/seed-1"])
        #expect(study.runs.map(\.origin) == [nil, "first/seed-1", "second/seed-1"])
    }

    @Test func `the runs of a study are shared out without rest`() throws {
        let numbers = Array(0..<7)
        let alone = try Share(rank: 0, ranks: 1, environment: [:])
        #expect(alone.runs(of: numbers) == numbers)
        var all: [Int] = []
        for task in [3, 5, 7] {
            let environment = [
                "SLURM_ARRAY_TASK_ID": "\(task)", "SLURM_ARRAY_TASK_MIN": "3", "SLURM_ARRAY_TASK_COUNT": "3",
                "SLURM_ARRAY_TASK_STEP": "2",
            ]
            for rank in 0..<2 { all += try Share(rank: rank, ranks: 2, environment: environment).runs(of: numbers) }
        }
        #expect(all.sorted() == numbers)
    }

    @Test func `the environment of a run does not tell of the study's job`() {
        let environment = [
            "PATH": "/bin", "OMPI_COMM_WORLD_RANK": "1", "PMIX_RANK": "1", "SLURM_PROCID": "1",
            "SLURM_JOB_END_TIME": "9",
        ]
        #expect(
            RunEnvironment.of(environment, isLaunched: true) == ["PATH": "/bin", "SLURM_JOB_END_TIME": "9"])
        #expect(RunEnvironment.of(["OMPI_MCA_btl": "self"], isLaunched: false) == ["OMPI_MCA_btl": "self"])
    }
}
