"""Arguments are checked when an object is made, with their names."""

import numpy as np
import pytest

from keras_plex.tasks.arguments import check_positive
from keras_plex.tasks.arguments import known_scores
from keras_plex.tasks.arguments import named_sets
from keras_plex.tasks.arguments import with_name_of_set

X = np.zeros((2, 3))


def test_sets_are_copied_into_a_dict():
    given = {"svhn": X}
    found = named_sets(given, "ood")
    assert found == given and found is not given
    assert named_sets(None, "ood") == {}


def test_sets_without_names_are_an_error():
    with pytest.raises(ValueError, match="`ood` must be a dict.*ndarray"):
        named_sets(X, "ood")


def test_names_are_strings():
    with pytest.raises(ValueError, match="names in `ood`.*strings.*: 1"):
        named_sets({1: X}, "ood")


def test_a_set_that_can_be_read_only_once_is_an_error():
    with pytest.raises(ValueError, match=r"ood\['svhn'\].*only once"):
        named_sets({"svhn": iter([X])}, "ood")


def test_scores_are_names_or_scores():
    mine = len
    assert known_scores(["msp", mine]) == ("msp", mine)
    assert known_scores(one for one in ["msp", mine]) == ("msp", mine)
    with pytest.raises(ValueError, match=r"did you mean \('msp',\)"):
        known_scores("msp")
    with pytest.raises(ValueError, match="Unknown score: 'mps'"):
        known_scores(["mps"])
    with pytest.raises(ValueError, match="must be a name, or a score.*3"):
        known_scores([3])


@pytest.mark.parametrize("value", [0, -1, 0.5, True, "1"])
def test_what_is_not_a_positive_integer_is_an_error(value):
    check_positive(every=1, max_examples=None)
    with pytest.raises(ValueError, match="`every` must be a positive integer"):
        check_positive(max_examples=None, every=value)


def test_an_error_says_in_which_set_it_occurred():
    assert with_name_of_set("svhn", max, 1, 2) == 2
    with pytest.raises(ValueError, match="set 'svhn'.*far too long") as error:
        with_name_of_set("svhn", _fail)
    assert isinstance(error.value.__cause__, TypeError)


def _fail():
    raise TypeError("far too long") from None


def test_what_a_backend_raises_for_wrong_inputs_is_one_too():
    misfit = type("InvalidArgumentError", (Exception,), {})

    def fail():
        raise misfit("no such token")

    with pytest.raises(ValueError, match="set 'svhn'. no such token"):
        with_name_of_set("svhn", fail)


def test_a_fault_stays_what_it_is_and_notes_the_set():
    fault = MemoryError()

    def fail():
        raise fault

    with pytest.raises(MemoryError) as error:
        with_name_of_set("svhn", fail)
    assert error.value is fault
    assert "the set 'svhn'" in error.value.__notes__[0]
