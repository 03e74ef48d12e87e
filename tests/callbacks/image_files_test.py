"""Names are safe and distinct, and files whole."""

import hypothesis
import hypothesis.strategies as st
import pytest

from keras_plex.callbacks.image_files import safe_file_name
from keras_plex.callbacks.image_files import write_atomically


@pytest.mark.parametrize("name", ["svhn", "CIFAR-10.v2", "a_b"])
def test_plain_names_stay(name):
    assert safe_file_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a/b", "../../etc", "a:b*?", "ä ö", "\0", "x" * 500, "a."],
)
def test_other_names_become_one_part_of_a_path(name, tmp_path):
    safe = safe_file_name(name)
    assert safe.isascii() and "/" not in safe and 0 < len(safe) < 100
    assert not safe.startswith(".")
    (tmp_path / safe).write_text("can be made")
    assert (tmp_path / safe).parent == tmp_path


@hypothesis.given(st.lists(st.text(max_size=9), min_size=2, unique=True))
def test_different_names_have_different_files(names):
    assert len({safe_file_name(name) for name in names}) == len(names)


def test_file_is_replaced_whole(tmp_path):
    path = tmp_path / "new" / "image.png"
    for content in (b"first", b"second"):
        write_atomically(path, content)
        assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


def test_failed_write_leaves_the_old_file_alone(tmp_path, monkeypatch):
    path = tmp_path / "image.png"
    write_atomically(path, b"old")

    def fail(*args):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]
