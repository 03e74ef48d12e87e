"""Files become data, or a line that says what they lack."""

import json

import numpy as np
import pytest

from keras_plex.cli import data_files
from keras_plex.cli.data_files import DataFiles
from keras_plex.cli.data_files import Reading

X, Y = np.arange(6.0).reshape(3, 2), np.array([0, 1, 1])


def load(path, reading=None, **options):
    return DataFiles(reading or Reading()).load(path, **options)


def test_npz_holds_labels_and_groups(tmp_path):
    np.savez(tmp_path / "d.npz", x=X, y=Y, groups=np.array(["a", "b", "a"]))
    found = load(tmp_path / "d.npz")
    np.testing.assert_array_equal(found.labelled()[0], X)
    assert found.grouped()[2].tolist() == ["a", "b", "a"]
    alone = load(tmp_path / "d.npz", with_labels=False)
    np.testing.assert_array_equal(alone.labelled(), X)


def test_named_arrays_are_the_inputs(tmp_path):
    np.savez(tmp_path / "d.npz", ids=X, mask=X > 1, y=Y)
    x, y = load(tmp_path / "d.npz").labelled()
    assert set(x) == {"ids", "mask"} and y.tolist() == [0, 1, 1]


def test_arrays_of_a_folder_stay_on_the_disk(tmp_path):
    np.save(tmp_path / "x.npy", X)
    np.save(tmp_path / "y.npy", Y)
    found = load(tmp_path)
    assert isinstance(found.x, np.memmap)
    assert found.has_labels and not found.has_soft_labels


def test_a_folder_may_hold_the_inputs_by_name(tmp_path):
    for name, array in {"ids": X, "mask": X > 1, "y": Y}.items():
        np.save(tmp_path / f"{name}.npy", array)
    x, y = load(tmp_path).labelled()
    assert set(x) == {"ids", "mask"} and y.tolist() == [0, 1, 1]


def test_arrays_among_images_are_no_inputs(tmp_path):
    image = pytest.importorskip("PIL.Image")
    image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    np.save(tmp_path / "embeddings.npy", X)
    assert load(tmp_path, Reading(image_size=(4, 4))).is_batched


def test_one_hot_rows_are_no_shares_of_annotators(tmp_path):
    one_hot = np.eye(2)[Y]
    np.savez(tmp_path / "hot.npz", x=X, y=one_hot)
    found = load(tmp_path / "hot.npz")
    assert found.has_distributions and not found.has_soft_labels
    np.savez(tmp_path / "soft.npz", x=X, y=[*one_hot[:2], [0.5, 0.5]])
    assert load(tmp_path / "soft.npz").has_soft_labels


def test_labels_of_json_are_whole_numbers_or_truth(tmp_path):
    rows = [{"text": "a", "label": one} for one in (1.0, 0, True, False, "1")]
    (tmp_path / "d.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert load(tmp_path / "d.jsonl").y.tolist() == [1, 0, 1, 0, 1]


def test_the_byte_order_mark_of_a_table_is_no_text(tmp_path):
    (tmp_path / "d.csv").write_text("text,label\na,1\n", "utf-8-sig")
    assert load(tmp_path / "d.csv").y.tolist() == [1]
    row = json.dumps({"text": "a", "label": 1})
    (tmp_path / "d.jsonl").write_text(row, "utf-8-sig")
    assert load(tmp_path / "d.jsonl").y.tolist() == [1]


def test_texts_come_from_csv_and_jsonl(tmp_path):
    (tmp_path / "d.csv").write_text(
        'text,label,group\n"good, really",pos,a\nbad,neg,b\n'
    )
    found = load(tmp_path / "d.csv", Reading(classes=("neg", "pos")))
    assert found.x.tolist() == ["good, really", "bad"]
    assert found.y.tolist() == [1, 0] and found.groups.tolist() == ["a", "b"]
    rows = [{"text": "a", "label": [0.2, 0.8]}, {"text": "b", "label": [1, 0]}]
    (tmp_path / "d.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = load(tmp_path / "d.jsonl")
    assert found.has_soft_labels and found.y.shape == (2, 2)
    (tmp_path / "i.csv").write_text("text,label\na,1\nb,0\n")
    assert load(tmp_path / "i.csv").y.tolist() == [1, 0]


def test_each_file_is_read_once(tmp_path):
    np.savez(tmp_path / "d.npz", x=X, y=Y)
    files = DataFiles(Reading())
    other_way = tmp_path / ".." / tmp_path.name / "d.npz"
    assert files.load(tmp_path / "d.npz") is files.load(other_way)


def test_arrays_may_hold_names_of_classes(tmp_path):
    np.savez(tmp_path / "d.npz", x=X, y=np.array(["pos", "neg", "pos"]))
    found = load(tmp_path / "d.npz", Reading(classes=("neg", "pos")))
    assert found.y.tolist() == [1, 0, 1]
    with pytest.raises(ValueError, match="d.npz.*--classes"):
        load(tmp_path / "d.npz")


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("d.csv", "review,label\na,1\n", "a column 'text'.*'label', 'review'"),
        ("d.csv", "text,label\na,good\n", "--classes"),
        ("d.csv", "text,label\n", "must be a row"),
        ("d.jsonl", '{"text": "a", "label": 1}\n{"text": "b"}', "1 of 2"),
        ("d.jsonl", "{", "d.jsonl"),
        ("d.jsonl", '["text"]', r"a column 'text'.*\['text'\]"),
        ("d.jsonl", '{"text": "a", "label": 0.9}', r"[0.1, 0.9].*: 0.9"),
        ("d.jsonl", '{"text": "a", "label": Infinity}', "class index.*: inf"),
        ("d.jsonl", '{"text": "a", "label": {"b": 1}}', "d.jsonl.*--classes"),
        ("d.jsonl", "7", "a column 'text'.*Received: 7"),
        ("d.npz", "no zip", "d.npz"),
        ("d.txt", "a", "d.txt.*Unknown kind of data file: '.txt'.*'.jsonl'"),
    ],
)
def test_what_a_file_lacks_is_said(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=message):
        load(tmp_path / name)


def test_unknown_classes_and_files_are_named(tmp_path):
    (tmp_path / "d.csv").write_text("text,label\na,good\n")
    with pytest.raises(ValueError, match="Unknown class: 'good'.*'pos'"):
        load(tmp_path / "d.csv", Reading(classes=("neg", "pos")))
    with pytest.raises(FileNotFoundError, match="no data file"):
        load(tmp_path / "gone.npz")
    np.savez(tmp_path / "y.npz", y=Y)
    with pytest.raises(ValueError, match="must be an array 'x'"):
        load(tmp_path / "y.npz")
    np.savez(tmp_path / "z.npz", x=X, z=X)
    with pytest.raises(ValueError, match=r"Inputs are one array.*\['x', 'z'\]"):
        load(tmp_path / "z.npz")


def test_damaged_archives_are_named(tmp_path):
    file = tmp_path / "d.npz"
    np.savez_compressed(file, x=np.arange(10_000), y=np.arange(10_000))
    whole = file.read_bytes()
    for damaged in (b"", whole[:100], whole[:200] + b"?" * 50 + whole[250:]):
        file.write_bytes(damaged)
        with pytest.raises(ValueError, match="d.npz"):
            load(file)


def test_a_fault_of_ours_is_no_damaged_file(tmp_path, monkeypatch):
    def read(path, reading):
        raise AttributeError("a fault")

    monkeypatch.setitem(data_files.READERS, ".npz", read)
    np.savez(tmp_path / "d.npz", x=X)
    with pytest.raises(AttributeError, match="a fault"):
        load(tmp_path / "d.npz")


def test_a_long_text_makes_no_other_long(tmp_path):
    rows = "short,0\n" * 300 + "x" * 9000 + ",1\n"
    (tmp_path / "d.csv").write_text("text,label\n" + rows)
    x, y = load(tmp_path / "d.csv").labelled()
    assert x.nbytes < 10_000
    assert x[0] == "short" and len(x[-1]) == 9000 and y.sum() == 1


@pytest.mark.parametrize("column", ["label", "group"])
def test_an_empty_cell_is_missing(tmp_path, column):
    text = f"text,{column}\na,1\nb,\n,0\n"
    (tmp_path / "d.csv").write_text(text)
    with pytest.raises(ValueError, match=f"a '{column}'.*2 of 3"):
        load(tmp_path / "d.csv")
    (tmp_path / "d.csv").write_text(text.replace("b,", "b,1"))
    assert load(tmp_path / "d.csv").x.tolist() == ["a", "b", ""]


def test_names_of_classes_may_be_bytes(tmp_path):
    np.savez(tmp_path / "d.npz", x=X, y=np.array([b"pos", b"neg", b"pos"]))
    found = load(tmp_path / "d.npz", Reading(classes=("neg", "pos")))
    assert found.y.tolist() == [1, 0, 1]
