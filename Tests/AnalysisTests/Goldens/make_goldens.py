"""Writes `adapters.json`: small low-rank adapters and what numpy and scipy say about them: `python make_goldens.py`.

Every number is computed the long way: products B C A are formed, decomposed as whole matrices, and flattened.
"""

import json
from pathlib import Path

import numpy as np
import scipy.cluster.hierarchy as hierarchy
import scipy.linalg
import scipy.spatial.distance as distance

HERE = Path(__file__).resolve().parent
SITES = [("block.0.q", "self.q", 9, 7), ("block.1.q", "self.q", 9, 7), ("block.2.q", "self.q", 9, 7),
         ("block.0.v", "self.v", 9, 7), ("block.1.v", "self.v", 9, 7), ("block.0.wo", "feed.wo", 12, 7)]
TASKS = ["one", "two", "three", "four", "five"]
RANK_A, RANK_B = 3, 2


def adapter(seed, zero_b=False):
    rng = np.random.default_rng(seed)
    sites = []
    for name, kind, width, out in SITES:
        b = np.zeros((out, RANK_B)) if zero_b else rng.normal(size=(out, RANK_B))
        sites.append(dict(name=name, kind=kind, a=rng.normal(size=(RANK_A, width)), b=b,
                          core=2 * rng.normal(size=(RANK_B, RANK_A))))
    return sites


def spectrum(m, count):
    s = np.linalg.svd(m, compute_uv=False)
    p = s[s > 1e-13 * max(s[0], 1e-300)] / s.sum() if s[0] > 0 else np.array([])
    return dict(values=s[:count].tolist(), sum=s.sum() / s[0] if s[0] > 0 else 0,
                entropy=float(np.exp(-(p * np.log(p)).sum())) if s[0] > 0 else 0,
                frobenius=float(np.linalg.norm(m)), spectral=float(np.linalg.norm(m, 2)))


def components(points):
    centred = points - points.mean(axis=0)
    u, s, _ = np.linalg.svd(centred, full_matrices=False)
    coordinates = (u * s)[:, :2]
    for column in coordinates.T:
        if column[np.argmax(np.abs(column))] < 0:
            column *= -1
    return dict(coordinates=coordinates.tolist(), explained=(s[:2] ** 2 / (s ** 2).sum()).tolist())


def likeness(matrices, ranks):
    """Correlations of each kind, and components of each shape with more than two sites."""
    found = dict(correlations={}, elements=None, spectrum=None)
    for kind in dict.fromkeys(site[1] for site in SITES):
        own = [m.ravel() for m, site in zip(matrices, SITES) if site[1] == kind]
        found["correlations"][kind] = np.atleast_2d(np.corrcoef(own)).tolist()
    own = [m for m in matrices if m.shape == matrices[0].shape]
    if len(own) > 2:
        found["elements"] = components(np.array([m.ravel() for m in own]))
        spectra = np.array([np.linalg.svd(m, compute_uv=False)[:ranks] for m in own])
        found["spectrum"] = components(spectra / spectra.sum(axis=1, keepdims=True))
    return found


def overlaps(first, second, by_rows):
    found = []
    for m, n in zip(first, second):
        m, n = (m.T, n.T) if by_rows else (m, n)
        u, v = scipy.linalg.orth(m), scipy.linalg.orth(n)
        found.append(dict(overlap=np.linalg.norm(u.T @ v) ** 2 / min(u.shape[1], v.shape[1]),
                          angles=np.sort(scipy.linalg.subspace_angles(m, n)).tolist()))
    return found


def main():
    trained, start, other = adapter(1), adapter(2), adapter(3)
    rng = np.random.default_rng(4)
    scales = 1 + 0.3 * rng.normal(size=(len(TASKS), len(SITES), RANK_A))
    start_scales = 1 + 0.3 * rng.normal(size=(len(TASKS), len(SITES), RANK_A))

    def products(sites, factors=None):
        ones = np.ones((len(SITES), RANK_A))
        return [s["b"] @ s["core"] @ np.diag(f) @ s["a"] for s, f in zip(sites, ones if factors is None else factors)]

    def minus(first, second):
        return [a - b for a, b in zip(first, second)]

    def column(sites, key):
        return [s[key] for s in sites]

    families = {
        "A/trained": (column(trained, "a"), RANK_A),
        "B/trained": (column(trained, "b"), RANK_B),
        "BA/trained": (products(trained), RANK_B),
        "A/minusStart": (minus(column(trained, "a"), column(start, "a")), RANK_A),
        "B/minusStart": (minus(column(trained, "b"), column(start, "b")), RANK_B),
        "BA/minusStart": (minus(products(trained), products(start)), 2 * RANK_B),
    }
    for t, task in enumerate(TASKS):
        families[f"BA/trained/{task}"] = (products(trained, scales[t]), RANK_B)
        families[f"BA/minusStart/{task}"] = (
            minus(products(trained, scales[t]), products(start, start_scales[t])), 2 * RANK_B)
    vectors = scales.reshape(len(TASKS), -1)
    merges = hierarchy.linkage(vectors, method="average")
    expected = dict(
        families={
            name: dict(spectra=[spectrum(m, count) for m in matrices], **likeness(matrices, count))
            for name, (matrices, count) in families.items()
        },
        rows=overlaps(column(trained, "a"), column(other, "a"), True),
        columns=overlaps(column(trained, "b"), column(other, "b"), False),
        euclidean=distance.squareform(distance.pdist(vectors)).tolist(),
        cosine=distance.squareform(distance.pdist(vectors, "cosine")).tolist(),
        merges=merges.tolist(),
        leaves=hierarchy.leaves_list(merges).tolist(),
    )
    case = dict(
        trained=trained, start=start, other=other, tasks=TASKS, scales=scales, startScales=start_scales,
        expected=expected)
    (HERE / "adapters.json").write_text(json.dumps(case, default=lambda m: m.tolist()) + "\n")


main()
