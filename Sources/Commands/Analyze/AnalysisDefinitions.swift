/// What each measure is, in one line each, for the file that contains them; docs/analysis.md explains them.
enum AnalysisDefinitions {
    static let all: [String: String] = [
        "BA":
            "what the adapter adds to a weight W [out, in]: alpha / rankA * B C diag(s) A; C is the identity for equal ranks; "
            + "s is 1, or for unolora_star with a task the mean of the scales of that task's texts",
        "minusStart": "the trained numbers minus those with which the run began; of BA the difference of the products",
        "singularValues":
            "S of the singular value decomposition U diag(S) V^T, descending; of BA only those that its rank allows",
        "effectiveRankSum": "sum(S) / max(S); 0 for a zero matrix",
        "effectiveRankEntropy": "exp(-sum p ln p) with p = S / sum(S); 0 for a zero matrix",
        "frobeniusNorm": "root of the sum of squared elements",
        "spectralNorm": "max(S)",
        "correlations":
            "Pearson's correlation of the flattened matrices of two sites of one kind and shape; null if all elements "
            + "of one are equal",
        "components":
            "first two principal components of the sites of one shape, from all elements or from S / sum(S) (spectrum); "
            + "the coordinate of the largest magnitude is positive",
        "overlap":
            "||U1^T U2||_F^2 / min(k1, k2) of orthonormal bases of the rows of A or down, or the columns of B or up, with "
            + "dimensions k1 and k2 (singular values above max(S) * max(rows, columns) * 2^-52); null if one has dimension 0",
        "chance": "the mean overlap of two random subspaces of these dimensions, max(k1, k2) / width",
        "angles": "principal angles between the two subspaces in radians, ascending",
        "scales":
            "mean and standard deviation (divided by n) of s over a task's training texts, for each site and dimension",
        "euclidean": "distance of two tasks' mean scales, all sites and dimensions one after another",
        "cosine": "1 minus the cosine of the angle between them; null if one is 0",
        "dendrogram":
            "average linkage (UPGMA) of the Euclidean distances: the k-th merge makes cluster n + k of n tasks",
    ]
}
