"""TensorBoard reads what was written."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing import event_accumulator

from keras_plex.callbacks.image_events import ImageEvents

RNG = np.random.default_rng(0)


def png(width, height):
    pixels = RNG.integers(0, 256, (height, width, 4), dtype="uint8")
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "png")
    return buffer.getvalue(), pixels


def read(directory):
    accumulator = event_accumulator.EventAccumulator(
        str(directory), {event_accumulator.IMAGES: 0}
    )
    return accumulator.Reload()


def test_tensorboard_finds_each_picture_at_its_step(tmp_path):
    events = ImageEvents(tmp_path / "logs")
    pictures = [png(7, 5) for _ in range(3)]
    events.add({"a/b": pictures[0][0], "c": pictures[1][0]}, step=4)
    events.add({"a/b": pictures[2][0]}, step=5)
    found = read(tmp_path / "logs")
    assert set(found.Tags()["images"]) == {"a/b", "c"}
    first, second = found.Images("a/b")
    assert (first.step, second.step) == (4, 5)
    assert (first.width, first.height) == (7, 5)
    for event, (content, pixels) in (
        (first, pictures[0]),
        (second, pictures[2]),
    ):
        assert event.encoded_image_string == content
        image = Image.open(io.BytesIO(event.encoded_image_string))
        np.testing.assert_array_equal(np.asarray(image), pixels)


def test_two_writers_have_two_files(tmp_path):
    assert ImageEvents(tmp_path).path != ImageEvents(tmp_path).path


def test_half_a_write_is_taken_back(tmp_path, monkeypatch):
    events = ImageEvents(tmp_path)
    content, _ = png(4, 4)
    events.add({"a": content}, step=0)
    size = events.path.stat().st_size
    opened = open

    class Full:
        """A disk with room for three more bytes."""

        def __init__(self, *args, **kwargs):
            self.file = opened(*args, **kwargs)

        def __enter__(self):
            return self

        def __exit__(self, *error):
            self.file.close()

        def __getattr__(self, name):
            return getattr(self.file, name)

        def write(self, content):
            return self.file.write(content[:3])

    with monkeypatch.context() as patch:
        patch.setattr("builtins.open", Full)
        with pytest.raises(OSError, match="only 3 of"):
            events.add({"a": content}, step=1)
    assert events.path.stat().st_size == size
    events.add({"a": content}, step=2)
    assert [event.step for event in read(tmp_path).Images("a")] == [0, 2]


def test_writing_does_not_import_tensorflow(tmp_path):
    # A second framework takes time, and memory of the accelerator.
    content, _ = png(2, 2)
    (tmp_path / "image.png").write_bytes(content)
    code = (
        "import sys\n"
        "from keras_plex.callbacks.image_events import ImageEvents\n"
        "content = open('image.png', 'rb').read()\n"
        "before = 'tensorflow' in sys.modules\n"
        "ImageEvents('logs').add({'a': content}, 0)\n"
        "assert before or 'tensorflow' not in sys.modules\n"
    )
    subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        check=True,
        cwd=tmp_path,
        env={**_environment(), "KERAS_BACKEND": "jax"},
    )
    assert len(read(tmp_path / "logs").Images("a")) == 1


def _environment():
    import os
    import pathlib

    root = pathlib.Path(__file__).resolve().parents[2]
    return {**os.environ, "PYTHONPATH": str(root)}


def test_without_tensorboard_the_error_gives_the_pip_line(
    tmp_path, monkeypatch
):
    monkeypatch.setitem(
        sys.modules, "tensorboard.summary.writer.record_writer", None
    )
    with pytest.raises(
        ImportError, match=r'pip install "keras_plex\[tensorboard\]".*PNG'
    ):
        ImageEvents(tmp_path)
