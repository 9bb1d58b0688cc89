"""Writes ../TextGoldens.swift: figures of free text from sacreBLEU, rouge-score and SQuAD's evaluation script, which the metrics
are checked against, and figures of labels from scikit-learn.

Usage: pip install sacrebleu rouge-score scikit-learn; python make_text_goldens.py
"""

import collections
import pathlib
import re
import string
import warnings
from importlib.metadata import version

import numpy as np
import sacrebleu
from rouge_score import rouge_scorer
from sacrebleu.tokenizers.tokenizer_13a import Tokenizer13a
from sklearn.metrics import f1_score, precision_recall_fscore_support

warnings.filterwarnings("ignore")
rng = np.random.default_rng(20260330)


# The functions of SQuAD 2.0's evaluate-v2.0.py, as published.
def normalize_answer(s):
    def remove_articles(text):
        regex = re.compile(r"\b(a|an|the)\b", re.UNICODE)
        return re.sub(regex, " ", text)

    def white_space_fix(text):
        return " ".join(text.split())

    def remove_punc(text):
        exclude = set(string.punctuation)
        return "".join(ch for ch in text if ch not in exclude)

    def lower(text):
        return text.lower()

    return white_space_fix(remove_articles(remove_punc(lower(s))))


def get_tokens(s):
    return normalize_answer(s).split() if s else []


def compute_exact(a_gold, a_pred):
    return int(normalize_answer(a_gold) == normalize_answer(a_pred))


def compute_f1(a_gold, a_pred):
    gold_toks = get_tokens(a_gold)
    pred_toks = get_tokens(a_pred)
    common = collections.Counter(gold_toks) & collections.Counter(pred_toks)
    num_same = sum(common.values())
    if len(gold_toks) == 0 or len(pred_toks) == 0:
        return int(gold_toks == pred_toks)
    if num_same == 0:
        return 0
    precision = 1.0 * num_same / len(pred_toks)
    recall = 1.0 * num_same / len(gold_toks)
    return (2 * precision * recall) / (precision + recall)


def quoted(text):
    """A Swift literal of any text."""
    return '"' + "".join(
        c if 0x20 <= ord(c) < 0x7F and c not in '"\\' else "\\u{%X}" % ord(c) for c in text) + '"'


def texts(values):
    return "[" + ", ".join(quoted(v) for v in values) + "]"


# An answer and the texts that are right.
PAIRS = [
    ("the cat sat on the mat", ["the cat sat on the mat"]),
    ("The Cat sat, on a mat!", ["the cat sat on the mat"]),
    ("", [""]),
    ("", ["something"]),
    ("something", [""]),
    ("the", [""]),
    ("a an the", ["..."]),
    ("...", ["!?"]),
    ("  \t\n", ["a"]),
    ("Paris", ["London", "paris", "Rome"]),
    ("in the year 1999", ["1999", "the year 1999", "year of 1999"]),
    ("one two three four", ["four three two one", "one three"]),
    ("to be to be to", ["to be or not to be", "be to"]),
    ("tie here", ["tie", "here"]),
    ("$1,234.56 - 7%", ["$1,234.56", "1234.56 7"]),
    ("5-3 and 3.5,4 a.b .5 5. ,x", ["5 - 3 and 3.5 , 4 a . b .5 5 . , x"]),
    ("it's the dogs' well-known co-op-", ["its the dogs well known co op"]),
    ("theory another ana the-cat a_b the_cat", ["theory another ana cat ab thecat"]),
    ("Straße ÄPFEL Çé", ["strasse äpfel çé", "straße äpfel çé"]),
    ("ΟΔΥΣΣΕΥΣ ΣΑΣ Σ ΑΣ.", ["οδυσσευς σας σ ας"]),
    ("ΑΣ\u0301 ΑΣ\u0301Β Σ\u0301Α", ["ας\u0301 ασ\u0301β σ\u0301α"]),
    ("İstanbul ǅ ﬁne KELVIN \u212a", ["i\u0307stanbul ǆ ﬁne kelvin k"]),
    ("a\u0301 the\u0301 cafe\u0301", ["caf\u00e9", "\u0301 \u0301 cafe\u0301"]),
    ("caf\u00e9", ["cafe\u0301"]),
    ("a² the½ aⅧ a中 the٣", ["a² the½ aⅧ a中 the٣"]),
    ("我 喜欢 吃 苹果。", ["我 喜欢 吃 梨。"]),
    ("我喜欢吃苹果", ["我喜欢吃苹果"]),
    ("привет, the мир", ["Привет мир"]),
    ("नमस्ते दुनिया", ["नमस्ते"]),
    ("👍 good 👍🏽", ["👍 good"]),
    ("one\u00a0two\u2003three\u3000four\u2028five", ["one two three four five"]),
    ("one\x1ctwo\x1fthree\x85four\x0bfive\x00six", ["one two three four five six"]),
    ("zero\u200bwidth \ufeffmark", ["zerowidth mark"]),
    ("&quot;x&quot; &amp;amp; &lt;b&gt; <skipped>y", ['"x" & <b> y']),
    ("line-\nbreak and\nnew line\r\n", ["linebreak and new line"]),
    ("trailing \x1d\x20\u00a0", ["trailing"]),
    ("{a}|~[b]`^_ <c> (d) *e+ :f; =g? @h /i \\j # $ % & ' \" !", ["{a}|~[b]`^_ <c> (d) *e+ :f; =g? @h /i \\j # $ % & ' \" !"]),
    ("a.b,c.d 1.b b.1 1.,2 ..5 5..", ["a.b,c.d 1.b b.1 1.,2 ..5 5.."]),
    ("x--1 1--x 1-2-3 -5", ["x--1 1--x 1-2-3 -5"]),
    ("“quoted” — dash – ‘single’ …", ["\"quoted\" - dash - 'single' ..."]),
]
words = "the a of cat dog 12 house, is. blue-green very red; (no) yes! U.S.A. 3.14 it's end".split()
for _ in range(40):
    gold = [" ".join(rng.choice(words, rng.integers(1, 25))) for _ in range(rng.integers(1, 4))]
    base = gold[rng.integers(len(gold))].split()
    answer = [w if rng.random() < 0.7 else str(rng.choice(words)) for w in base][: rng.integers(1, 30)]
    PAIRS.append((" ".join(answer), gold))

scorer = rouge_scorer.RougeScorer(["rougeL"], use_stemmer=False)
tokenizer = Tokenizer13a()
lines = []
for answer, references in PAIRS:
    exact = max(compute_exact(r, answer) for r in references)
    f1 = max(compute_f1(r, answer) for r in references)
    rouge = scorer.score_multi(references, answer)["rougeL"].fmeasure
    tokens = tokenizer(answer.rstrip()).split()
    lines.append(f"    .init(answer: {quoted(answer)}, references: {texts(references)}, exactMatch: {float(exact)!r}, "
                 f"tokenF1: {float(f1)!r}, rougeL: {float(rouge)!r}, tokens: {texts(tokens)}),")


def corpus(name, places):
    pairs = [PAIRS[p] for p in places]
    most = max((len(r) for _, r in pairs), default=0)
    streams = [[r[i] if i < len(r) else None for _, r in pairs] for i in range(most)]
    score = sacrebleu.corpus_bleu([a for a, _ in pairs], streams, force=True).score / 100
    return f"    .init(name: {quoted(name)}, places: {list(places)}, bleu: {float(score)!r}),"


random = list(range(len(PAIRS) - 40, len(PAIRS)))
corpora = [
    corpus("everything", range(len(PAIRS))),
    corpus("random sentences", random),
    corpus("one sentence that is right", [0]),
    corpus("short answers without 4-grams", [9, 13]),
    corpus("nothing matches", [3, 4]),
    corpus("empty answers", [2, 3]),
    corpus("several references", [9, 10, 11, 12, 13]),
    corpus("no 4-gram matches", [12, 25, 10]),
    corpus("too short", [p for p in random if p % 3 == 0] + [3]),
] + [corpus(f"random {p}", [p, p + 1]) for p in random[:12]]


def labels(name, classes, gold, answers):
    gold, answers = [int(g) for g in gold], [int(a) for a in answers]
    known = list(range(classes))
    precision, recall, f1, support = precision_recall_fscore_support(gold, answers, labels=known, zero_division=0)
    macro = f1_score(gold, answers, labels=known, average="macro", zero_division=0)
    return (f"    .init(name: {quoted(name)}, classes: {classes}, gold: {gold}, answers: {answers}, macroF1: {float(macro)!r}, "
            f"precision: {[float(v) for v in precision]}, recall: {[float(v) for v in recall]}, "
            f"f1: {[float(v) for v in f1]}, examples: {[int(v) for v in support]}),")


def noisy(gold, classes, right):
    return [g if rng.random() < right else int(rng.integers(classes)) for g in gold]


three, ten = rng.integers(3, size=57), rng.integers(10, size=80)
rare = (rng.random(57) < 0.1).astype(int) + 2 * (rng.random(57) < 0.4)
groups = [
    labels("two classes", 2, three % 2, noisy(three % 2, 2, 0.6)),
    labels("three classes", 3, three, noisy(three, 3, 0.6)),
    labels("three classes, some answers invalid", 3, three, [-1 if i % 5 == 0 else a for i, a in enumerate(noisy(three, 3, 0.7))]),
    labels("four classes, one of them rare", 4, rare, noisy(rare, 4, 0.5)),
    labels("ten classes", 10, ten, noisy(ten, 10, 0.4)),
    labels("a class that is neither gold nor answer", 4, [0, 1, 1, 3], [0, 1, 3, 3]),
    labels("a class that is only answered", 3, [0, 1, 1, 0], [0, 2, 1, 2]),
    labels("all invalid", 2, [0, 1, 1], [-1, -1, -1]),
    labels("all right", 5, ten % 5, ten % 5),
    labels("one example", 3, [2], [2]),
]

names = ["sacrebleu", "rouge-score", "scikit-learn"]
text = f"""// Written by Goldens/make_text_goldens.py with {", ".join(f"{n} {version(n)}" for n in names)} and SQuAD 2.0's script.
// swift-format-ignore-file

struct TextGolden: Sendable {{
    let answer: String
    let references: [String]
    let exactMatch: Double
    let tokenF1: Double
    let rougeL: Double
    /// The answer's tokens for BLEU.
    let tokens: [String]
}}

struct CorpusGolden: Sendable {{
    let name: String
    /// Positions in `textGoldens`.
    let places: [Int]
    let bleu: Double
}}

struct LabelGolden: Sendable {{
    let name: String
    let classes: Int
    let gold: [Int]
    /// -1 is an answer that is no label.
    let answers: [Int]
    let macroF1: Double
    let precision: [Double]
    let recall: [Double]
    let f1: [Double]
    let examples: [Int]
}}

let textGoldens: [TextGolden] = [
{chr(10).join(lines)}
]

let corpusGoldens: [CorpusGolden] = [
{chr(10).join(corpora)}
]

let labelGoldens: [LabelGolden] = [
{chr(10).join(groups)}
]
"""
(pathlib.Path(__file__).parent.parent / "TextGoldens.swift").write_text(text)
