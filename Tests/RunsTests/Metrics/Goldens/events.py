"""Writes events.tfevents, what TensorBoard's own code makes of the events in EventFileTests.swift.

    python3 -m venv venv && venv/bin/pip install tensorboard==2.21.0 && venv/bin/python events.py
"""

import io
import pathlib

from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

Event, Session, Summary = event_pb2.Event, event_pb2.SessionLog, summary_pb2.Summary

training = [
    ("loss", 2.5),
    ("loss/cola", 0.0),
    ("loss/ähnlich", 1e-3),
    ("learningRate", 3e-4),
    ("gradientNorm", 0.75),
    ("examplesPerSecond", 1234.5678),
    ("tokensPerSecond", 98765.4321),
]
evaluation = [
    ("validation/average", 0.5625),
    ("validation/averageOverTasks", 0.21875),
    ("validation/cola/matthews", -0.125),
    ("validation/mrpc/accuracy", 1.0),
    ("validation/mrpc/f1", 0.25),
]


def scalars(points):
    return Summary(value=[Summary.Value(tag=tag, simple_value=value) for tag, value in points])


events = [
    Event(wall_time=1700000000.25, file_version="brain.Event:2"),
    Event(wall_time=1700000001.25, step=301, session_log=Session(status=Session.START)),
    Event(wall_time=1700000002.25, step=310, summary=scalars(training)),
    Event(wall_time=1700000003.25, step=1 << 33, summary=scalars(evaluation)),
]

output = io.BytesIO()
writer = RecordWriter(output)
for event in events:
    writer.write(event.SerializeToString())
pathlib.Path(__file__).with_name("events.tfevents").write_bytes(output.getvalue())
