"""Reads the runs below a directory with TensorBoard's own code, and prints what it finds.

  python tensorboard_read.py LOGDIR                 with both of TensorBoard's loaders
  python tensorboard_read.py LOGDIR --loader slow   only the one in Python; fast: only its separate program

Needs tensorboard. It reads each run with the event accumulator, and asks a TensorBoard that it starts on 127.0.0.1, and ends,
what its tabs show: TIME SERIES, HISTOGRAMS, TEXT and HPARAMS. It exits with 1 if a curve or histogram has a step twice or out
of order, if a histogram's buckets do not add up, if the server shows something else than the accumulator, or if a run is
missing in the tab HPARAMS.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

from tensorboard import version
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

problems = []
STATUSES = ["STATUS_UNKNOWN", "STATUS_SUCCESS", "STATUS_FAILURE", "STATUS_RUNNING"]


def expect(condition, sentence):
    if not condition:
        problems.append(sentence)
        print(f"PROBLEM: {sentence}")


def run_directories(logdir):
    for directory, _, names in sorted(os.walk(logdir)):
        if any(name.startswith("events.out.tfevents.") for name in names):
            yield os.path.relpath(directory, logdir), sorted(n for n in names if ".tfevents." in n)


def accumulate(logdir, run, files):
    """What the event accumulator finds in a run: for each kind the steps of each tag."""
    accumulator = EventAccumulator(os.path.join(logdir, run), size_guidance=dict.fromkeys(
        ["scalars", "histograms", "tensors"], 0))
    accumulator.Reload()
    tags = accumulator.Tags()
    scalars = {tag: accumulator.Scalars(tag) for tag in tags["scalars"]}
    histograms = {tag: accumulator.Histograms(tag) for tag in tags["histograms"]}
    texts = {tag: accumulator.Tensors(tag) for tag in tags["tensors"] if not tag.startswith("_hparams_/")}
    for tag, events in [*scalars.items(), *histograms.items(), *texts.items()]:
        steps = [event.step for event in events]
        expect(steps == sorted(set(steps)), f"{run}: {tag} has steps {steps}")
    for tag, events in histograms.items():
        for event in events:
            histogram = event.histogram_value
            expect(sum(histogram.bucket) == histogram.num, f"{run}: {tag} counts {sum(histogram.bucket)} of {histogram.num}")
            expect(histogram.bucket_limit[-1] == histogram.max, f"{run}: the last bucket of {tag} ends early")
    print(f"\n{run}: {len(files)} event file(s)")
    for kind, series in [("scalars", scalars), ("histograms", histograms)]:
        points = sum(len(events) for events in series.values())
        steps = sorted({event.step for events in series.values() for event in events})
        ends = f", steps {steps[0]} to {steps[-1]}" if steps else ""
        print(f"  {len(series)} {kind}, {points} points{ends}")
    for tag in ["loss", "best/test/average"]:
        for event in scalars.get(tag, [])[-1:]:
            print(f"  {tag} {event.value:.4f} at step {event.step}")
    for tag in sorted(histograms)[:1] + [t for t in sorted(histograms) if t.startswith("scales/")][:1]:
        last = histograms[tag][-1]
        value = last.histogram_value
        print(f"  {tag} at step {last.step}: {value.num:.0f} numbers from {value.min:.4f} to {value.max:.4f}, "
              f"mean {value.sum / value.num:.4f}, {len(value.bucket)} buckets")
    for tag, events in sorted(texts.items()):
        text = events[-1].tensor_proto.string_val[0].decode()
        print(f"  text {tag} at step(s) {[event.step for event in events]}, {len(text.splitlines())} lines")
        expect("method:" in text, f"{run}: {tag} does not name a method")
    return {"scalars": set(scalars), "histograms": set(histograms), "text": set(texts)}


class Server:
    """A TensorBoard of this script's own."""

    def __init__(self, logdir, loader):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tensorboard.main", "--logdir", logdir, "--host", "127.0.0.1", "--port", "0",
             f"--load_fast={'true' if loader == 'fast' else 'false'}", "--reload_interval", "1"],
            stderr=self.log, stdout=subprocess.DEVNULL)
        for _ in range(60):
            time.sleep(1)
            address = re.search(r"http://127\.0\.0\.1:\d+", self.said())
            if address:
                self.address = address.group()
                return
        self.end()
        sys.exit(f"TensorBoard did not start with the {loader} loader: {self.said()}")

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def ask(self, path, body=None, **parameters):
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(
            f"{self.address}/data/{path}{query}", data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            sys.exit(f"{path}: {error}; TensorBoard said: {self.said()}")

    def end(self):
        self.process.terminate()
        self.process.wait()


def compare(server, loader, found):
    """Compares what the tabs show with what the accumulator found."""
    plugins = {"scalars": "scalars", "histograms": "histograms", "text": "text"}
    shown = {}
    for _ in range(60):
        for kind, plugin in plugins.items():
            answer = server.ask(f"plugin/{plugin}/tags")
            shown[kind] = {run: set(tags) for run, tags in answer.items()}
        if all(set(shown["scalars"].get(run, ())) == tags["scalars"] for run, tags in found.items()):
            break
        time.sleep(1)
    for run, tags in found.items():
        for kind in plugins:
            expect(shown[kind].get(run, set()) == tags[kind], f"{loader}: {run} shows other {kind}")
    print(f"\n{loader} loader: the tabs show the same curves, histograms and texts"
          if not problems else f"\n{loader} loader")
    for run, tags in found.items():
        for tag in sorted(tags["histograms"]):
            points = server.ask("plugin/histograms/histograms", run=run, tag=tag)
            for _, step, buckets in points:
                expect(all(left <= right for left, right, _ in buckets), f"{loader}: {run} {tag} {step} is out of order")
            steps = [step for _, step, _ in points]
            expect(steps == sorted(set(steps)), f"{loader}: {run} {tag} has steps {steps}")
    experiment = server.ask("plugin/hparams/experiment", {"experimentName": ""})
    metrics = [info["name"]["tag"] for info in experiment["metricInfos"]]
    groups = server.ask("plugin/hparams/session_groups", {
        "experimentName": "", "allowedStatuses": STATUSES, "startIndex": 0, "sliceSize": 100000})
    keys = [info["name"] for info in experiment["hparamInfos"]]
    differs = [info["name"] for info in experiment["hparamInfos"] if info.get("differs")]
    print(f"  HPARAMS: {len(keys)} keys, of which differ: {', '.join(differs) or 'none'}; {len(metrics)} metrics")
    groups = groups.get("sessionGroups", [])
    expect(sorted(group["name"] for group in groups) == sorted(found), f"{loader}: HPARAMS does not show all runs")
    for group in groups:
        session = group["sessions"][0]
        values = {value["name"]["tag"]: value["value"] for value in session["metricValues"]}
        chosen = {tag: round(values[tag], 4) for tag in sorted(values)
                  if tag == "loss" or re.fullmatch(r"(best/test|validation[^/]*)/average(OverTasks)?", tag)}
        hyperparameters = ", ".join(f"{key} {group['hparams'].get(key)}" for key in differs)
        print(f"  {group['name']}: {session.get('status', 'STATUS_UNKNOWN')}, {hyperparameters}")
        print(f"    {len(values)} metrics, {', '.join(f'{tag} {value}' for tag, value in chosen.items())}")
        expect(set(values) == found[group["name"]]["scalars"], f"{loader}: {group['name']} lacks metrics")
        expect(len(group["hparams"]) > 20, f"{loader}: {group['name']} has {len(group['hparams'])} keys")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("logdir")
    parser.add_argument("--loader", choices=["both", "fast", "slow"], default="both")
    arguments = parser.parse_args()
    print(f"tensorboard {version.VERSION}, Python {sys.version.split()[0]}")
    found = {run: accumulate(arguments.logdir, run, files) for run, files in run_directories(arguments.logdir)}
    if not found:
        sys.exit(f"{arguments.logdir} has no event files")
    for loader in ["slow", "fast"] if arguments.loader == "both" else [arguments.loader]:
        server = Server(arguments.logdir, loader)
        try:
            compare(server, loader, found)
        finally:
            server.end()
    print(f"\n{len(problems)} problem(s)")
    sys.exit(1 if problems else 0)


main()
