import Backbone
public import Tensors

/// The projections of an adapter that HyperFormer++ generates for one sublayer and task.
public struct GeneratedAdapter: Sendable {
    /// The path of the output projection after which the adapter is.
    public let name: String
    /// Stack, sublayer and projection, the same for all blocks of a stack: see `ProjectionGroup.region`.
    public let kind: String
    /// Width of the model, d.
    public let width: Int
    /// Width of the adapter, m.
    public let bottleneck: Int
    /// `[m, d]`, row by row.
    public let down: [Float]
    /// `[d, m]`, row by row.
    public let up: [Float]
}

extension HyperFormerMethod {
    /// The adapters of all sublayers that the hypernetworks generate for a task, in the order of computation.
    public func generatedAdapters(task: Int, weights: ReadOnlyArena) -> [GeneratedAdapter] {
        precondition((0..<tasks).contains(task), "a task that the adapter does not have")
        let workspace = Workspace()
        let made = controllers.map { layout in
            let controller = Controller(layout, taskEmbedding: taskEmbedding, weights: weights, gradients: nil)
            controller.forward([task], workspace)
            return controller
        }
        // The controllers' results are in the workspace.
        return withExtendedLifetime(workspace) {
            adapted.compactMap { sublayer, output in
                guard let stack = controller(sublayer.stack), let number = number(sublayer) else { return nil }
                let layout = controllers[stack]
                func values(_ head: ControllerLayout.Head) -> [Float] {
                    unsafe Array(
                        UnsafeBufferPointer(
                            start: made[stack].values(head, adapter: number, task: 0), count: layout.size(head)))
                }
                return GeneratedAdapter(
                    name: output.projections[0].name, kind: "\(output.region).\(output.projections[0].leaf)",
                    width: layout.modelWidth, bottleneck: layout.bottleneck, down: values(.downWeight),
                    up: values(.upWeight))
            }
        }
    }
}
