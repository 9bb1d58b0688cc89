"""Writes events.tfevents, what TensorBoard's own code makes of the events in EventFileTests.swift.

    python3 -m venv venv && venv/bin/pip install tensorboard==2.21.0 && venv/bin/python events.py
"""

import io
import pathlib

import numpy
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.plugins.hparams import metadata, plugin_data_pb2
from tensorboard.plugins.text import summary_v2 as text
from tensorboard.summary.writer.record_writer import RecordWriter

Event, Session, Summary = event_pb2.Event, event_pb2.SessionLog, summary_pb2.Summary

training = [
    ("loss", 2.5),
    ("loss/cola", 0.0),
    ("loss/ähnlich", 1e-3),
    ("share/cola", 0.7),
    ("share/ähnlich", 0.3),
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


def histogram(tag, values, buckets):
    values = numpy.array(values, numpy.float32).astype(numpy.float64)
    counts, limits = numpy.histogram(values, buckets)
    histo = summary_pb2.HistogramProto(
        min=values.min(),
        max=values.max(),
        num=len(values),
        sum=sum(values),
        sum_squares=sum(value * value for value in values),
        bucket_limit=limits[1:],
        bucket=counts,
    )
    return Summary.Value(tag=tag, histo=histo)


def hyperparameters(start, values):
    session = plugin_data_pb2.SessionStartInfo(start_time_secs=start)
    contents = b""
    for name, value in values:
        # The entries of a map in the order of the program, which a map does not keep.
        one = plugin_data_pb2.SessionStartInfo()
        field = {bool: "bool_value", float: "number_value", str: "string_value"}[type(value)]
        setattr(one.hparams[name], field, value)
        contents += one.SerializeToString()
    contents += session.SerializeToString()
    plugin = summary_pb2.SummaryMetadata.PluginData(
        plugin_name=metadata.PLUGIN_NAME, content=b"\x1a" + varint(len(contents)) + contents
    )
    check = plugin_data_pb2.HParamsPluginData.FromString(plugin.content).session_start_info
    assert len(check.hparams) == len(values) and check.start_time_secs == start
    value = Summary.Value(
        tag=metadata.SESSION_START_INFO_TAG,
        tensor=metadata.NULL_TENSOR,
        metadata=summary_pb2.SummaryMetadata(plugin_data=plugin),
    )
    return value


def varint(number):
    output = b""
    while number >= 128:
        output += bytes([number & 127 | 128])
        number >>= 7
    return output + bytes([number])


begun = [
    ("method", "unolora"),
    ("lora.rank", 8.0),
    ("lora.dropout", 0.0),
    ("data.dropDuplicates", False),
    ("lora.freezeA", True),
]
weights = [(i * 37 % 101) / 25 - 1 for i in range(101)]
events = [
    Event(wall_time=1700000000.25, file_version="brain.Event:2"),
    Event(wall_time=1700000001.25, step=301, session_log=Session(status=Session.START)),
    Event(wall_time=1700000002.25, step=310, summary=scalars(training)),
    Event(wall_time=1700000003.25, step=1 << 33, summary=scalars(evaluation)),
    Event(
        wall_time=1700000004.25,
        step=312,
        summary=Summary(
            value=[
                text.text_pb("config.yaml", "    # Grüße\n    a: 1").value[0],
                hyperparameters(1700000004.25, begun),
                histogram("A/encoderSelf.q", weights, 64),
                histogram("B/encoderSelf.q", [0.0] * 12, [0.0, 0.0]),
            ]
        ),
    ),
    Event(
        wall_time=1700000005.25,
        step=400,
        summary=Summary(
            value=[
                Summary.Value(
                    tag=metadata.SESSION_END_INFO_TAG,
                    tensor=metadata.NULL_TENSOR,
                    metadata=metadata.create_summary_metadata(
                        plugin_data_pb2.HParamsPluginData(
                            session_end_info=plugin_data_pb2.SessionEndInfo(
                                status=1, end_time_secs=1700000005.25
                            )
                        )
                    ),
                )
            ]
        ),
    ),
]

output = io.BytesIO()
writer = RecordWriter(output)
for event in events:
    writer.write(event.SerializeToString())
pathlib.Path(__file__).with_name("events.tfevents").write_bytes(output.getvalue())
