"""Pictures in the files that TensorBoard reads, without TensorFlow."""

import io
import os
import pathlib
import socket
import struct
import time
import uuid
from collections.abc import Mapping

RGBA = 4  # of the protocol buffer


class ImageEvents:
    """An event file of pictures, one for each tag and step.

    It is written through the record format of the `tensorboard` package, which
    does not import TensorFlow, and is open only while pictures are added.

    Args:
        directory: folder of the file. TensorBoard follows one growing file per
            folder: give it one that nobody else writes events into.

    Raises:
        ModuleNotFoundError: without tensorboard, with the pip line.

    Example:

    >>> events = ImageEvents("logs/images")
    >>> events.path.parent.as_posix()
    'logs/images'
    """

    def __init__(self, directory: str | os.PathLike[str]):
        _event_format()
        host = socket.gethostname()
        self.path = pathlib.Path(directory) / (
            f"events.out.tfevents.{time.time():.0f}.{host}.{os.getpid()}."
            f"{uuid.uuid4().hex[:8]}"
        )

    def add(self, images: Mapping[str, bytes], step: int) -> None:
        """Appends pictures, all or, on an error, none.

        Args:
            images: dict from tag to the bytes of a PNG file.
            step: what they belong to, such as the epoch.
        """
        event_pb2, summary_pb2, RecordWriter = _event_format()
        records, now = io.BytesIO(), time.time()
        writer = RecordWriter(records)
        if not self.path.exists():
            first = event_pb2.Event(wall_time=now, file_version="brain.Event:2")
            writer.write(first.SerializeToString())
        for tag, png in images.items():
            # A PNG file begins with a signature, and then its header.
            width, height = struct.unpack(">II", png[16:24])
            image = summary_pb2.Summary.Image(
                width=width,
                height=height,
                colorspace=RGBA,
                encoded_image_string=png,
            )
            value = summary_pb2.Summary.Value(tag=tag, image=image)
            event = event_pb2.Event(
                wall_time=now,
                step=step,
                summary=summary_pb2.Summary(value=[value]),
            )
            writer.write(event.SerializeToString())
        _append(self.path, records.getvalue())


def _event_format():
    try:
        from tensorboard.compat.proto import event_pb2
        from tensorboard.compat.proto import summary_pb2
        from tensorboard.summary.writer.record_writer import RecordWriter
    except ImportError as error:
        raise ModuleNotFoundError(
            "TensorBoard images need tensorboard. Install it with "
            '`pip install "keras_plex[tensorboard]"`, or pass '
            "`tensorboard=False` for PNG files alone.",
            name="tensorboard",
        ) from error
    return event_pb2, summary_pb2, RecordWriter


def _append(path: pathlib.Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "ab", buffering=0) as file:
        size = file.tell()
        try:
            written = file.write(content)
            if written < len(content):
                raise OSError(f"only {written} of {len(content)} bytes fit")
        except BaseException:
            # A reader stops at half a record, and so would miss later ones.
            file.truncate(size)
            raise
