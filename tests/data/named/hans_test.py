"""A handwritten file in the format of HANS."""

import pytest

from keras_plex.data.named.hans import read_hans
from tests.named_data import write_hans


def test_rows_stay_together_and_quotes_are_text(tmp_path):
    found = read_hans(write_hans(tmp_path / "hans.txt"))
    assert len(found["label"]) == 12
    for premise, label, subcase in zip(
        found["premise"], found["label"], found["subcase"], strict=True
    ):
        number = int(premise.split()[2])
        assert premise == f'The "actor {number} ran .'
        assert label == 1 - number % 2  # entailment is 1
        assert subcase == ("ln_passive", "sn_swap")[number // 6]


def test_first_examples_are_of_several_subcases_in_a_fixed_order(tmp_path):
    path = write_hans(tmp_path / "hans.txt")
    found = read_hans(path)
    assert len(set(found["subcase"][:6])) == 2
    assert found["premise"].tolist() == read_hans(path)["premise"].tolist()


def test_other_file_is_refused(tmp_path):
    path = tmp_path / "other.txt"
    path.write_text("sentence1\tsentence2\na\tb\n")
    with pytest.raises(ValueError, match="lacks: .'gold_label', 'subcase'."):
        read_hans(path)


def test_unknown_label_is_refused(tmp_path):
    path = tmp_path / "hans.txt"
    path.write_text(
        "gold_label\tsentence1\tsentence2\tsubcase\nneutral\ta\tb\tc\n"
    )
    with pytest.raises(ValueError, match=r"Received: \['neutral'\]"):
        read_hans(path)


def test_header_alone_is_no_example(tmp_path):
    path = tmp_path / "hans.txt"
    path.write_text("gold_label\tsentence1\tsentence2\tsubcase\n")
    with pytest.raises(ValueError, match="hans.txt' holds no example"):
        read_hans(path)
