"""Writes ../MetricGoldens.swift: figures of scikit-learn and scipy that the metrics are checked against.

Usage: pip install scikit-learn scipy; python make_goldens.py
"""

import pathlib
import warnings

import numpy as np
import scipy
import sklearn
from scipy.stats import pearsonr, rankdata, spearmanr
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

warnings.filterwarnings("ignore")
rng = np.random.default_rng(20240607)
INVALID = -1


def invalid_is_wrong(gold, answers):
    """T5's rule for F1: an answer that is no label becomes the opposite of the gold one."""
    gold, answers = (np.asarray(gold) == 1).astype(int), np.asarray(answers)
    return gold, np.where(answers == INVALID, 1 - gold, (answers == 1).astype(int))


def classification(name, classes, gold, answers):
    gold, answers = [int(g) for g in gold], [int(a) for a in answers]
    binary_gold, binary_answers = invalid_is_wrong(gold, answers)
    f1_defined = binary_gold.any() or binary_answers.any()
    # scikit-learn answers 0 where Matthews is undefined; that case is told apart here.
    matthews_defined = len(set(gold)) > 1 and len(set(answers)) > 1
    f1 = f1_score(binary_gold, binary_answers, zero_division=0) if f1_defined else None
    matthews = matthews_corrcoef(gold, answers) if matthews_defined else None
    return (f'    .init(name: "{name}", classes: {classes}, gold: {gold}, answers: {answers}, '
            f"accuracy: {number(accuracy_score(gold, answers))}, f1: {number(f1)}, matthews: {number(matthews)}),")


def regression(name, gold, answers):
    gold, answers = np.asarray(gold, float), np.asarray(answers, float)
    defined = len(gold) > 1 and len(set(gold)) > 1 and len(set(answers)) > 1
    p = pearsonr(gold, answers).statistic if defined else None
    s = spearmanr(gold, answers).statistic if defined else None
    return (f'    .init(name: "{name}", gold: {floats(gold)}, answers: {floats(answers)}, '
            f"pearson: {number(p)}, spearman: {number(s)}, ranks: {floats(rankdata(answers))}),")


def number(value):
    return "nil" if value is None else repr(float(value))


def floats(values):
    return "[" + ", ".join(repr(float(v)) for v in values) + "]"


def noisy(gold, classes, right):
    return [g if rng.random() < right else rng.integers(classes) for g in gold]


two, three = rng.integers(2, size=60), rng.integers(3, size=60)
skewed = (rng.random(60) < 0.15).astype(int)
invalid = [INVALID if i % 7 == 0 else a for i, a in enumerate(noisy(two, 2, 0.7))]
invalid3 = [INVALID if i % 5 == 0 else a for i, a in enumerate(noisy(three, 3, 0.6))]
classifications = [
    classification("two classes", 2, two, noisy(two, 2, 0.6)),
    classification("skewed", 2, skewed, noisy(skewed, 2, 0.5)),
    classification("two classes, some answers invalid", 2, two, invalid),
    classification("three classes", 3, three, noisy(three, 3, 0.5)),
    classification("three classes, some answers invalid", 3, three, invalid3),
    classification("all right", 2, two, two),
    classification("all wrong", 2, two, 1 - two),
    classification("constant 0", 2, two, [0] * 60),
    classification("constant 1", 2, two, [1] * 60),
    classification("constant gold", 2, [0] * 6, [0, 1, 0, 1, 1, 0]),
    classification("no positive anywhere", 2, [0] * 5, [0] * 5),
    classification("all invalid", 2, [0, 1, 1, 0, 1], [INVALID] * 5),
    classification("one right", 2, [1], [1]),
    classification("one wrong", 2, [1], [0]),
    classification("two examples", 2, [0, 1], [0, 1]),
    classification("two examples, swapped", 2, [0, 1], [1, 0]),
    classification("class absent from gold", 4, [0, 1, 2, 0, 1, 2], [3, 1, 2, 0, 3, 1]),
]

raw = np.round(rng.uniform(0, 5, 40), 3)
graded = np.round(np.clip(raw + rng.normal(0, 1, 40), 0, 5) * 5) / 5
holes = [INVALID if i % 6 == 0 else v for i, v in enumerate(graded)]
regressions = [
    regression("grades with ties", raw, graded),
    regression("gold with ties too", np.round(raw), graded),
    regression("some answers invalid", raw, holes),
    regression("many ties", np.round(raw / 2.5), np.round(graded / 2.5)),
    regression("out of range", [1.0, 2.0, 3.0, 4.0], [-3.5, 12.0, 7.25, 400.0]),
    regression("large offset", [1e6 + 0.1, 1e6 + 0.2, 1e6 + 0.3, 1e6 + 0.7], [1.0, 3.0, 2.0, 5.0]),
    regression("perfect", raw[:8], raw[:8]),
    regression("reversed", raw[:8], -raw[:8]),
    regression("constant answer", raw[:6], [2.6] * 6),
    regression("constant gold", [3.3] * 6, graded[:6]),
    regression("one example", [2.0], [2.0]),
    regression("two examples", [1.0, 2.5], [0.2, 4.4]),
    regression("two examples, reversed", [1.0, 2.5], [4.4, 0.2]),
]

text = f"""// Written by Goldens/make_goldens.py with scikit-learn {sklearn.__version__} and scipy {scipy.__version__}.
// swift-format-ignore-file

struct ClassificationGolden: Sendable {{
    let name: String
    let classes: Int
    let gold: [Int]
    /// -1 is an answer that is no label.
    let answers: [Int]
    let accuracy: Double
    /// nil where undefined.
    let f1: Double?
    let matthews: Double?
}}

struct RegressionGolden: Sendable {{
    let name: String
    let gold: [Double]
    let answers: [Double]
    /// nil where undefined.
    let pearson: Double?
    let spearman: Double?
    /// Average ranks of the answers.
    let ranks: [Double]
}}

let classificationGoldens: [ClassificationGolden] = [
{chr(10).join(classifications)}
]

let regressionGoldens: [RegressionGolden] = [
{chr(10).join(regressions)}
]
"""
(pathlib.Path(__file__).parent.parent / "MetricGoldens.swift").write_text(text)
