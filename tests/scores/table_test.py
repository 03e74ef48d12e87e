"""Names, functions and fitted scores are found alike."""

import pytest

from keras_plex.scores import DEFAULT_SCORES
from keras_plex.scores import SCORES
from keras_plex.scores import Mahalanobis
from keras_plex.scores import msp
from keras_plex.scores import needs_features
from keras_plex.scores import ready_score
from keras_plex.scores import score
from keras_plex.scores import score_name
from keras_plex.scores.table import check_distinct


def test_the_names_of_the_product_are_there():
    # First; the examples of the documentation add to the table.
    assert list(SCORES)[:13] == [
        "msp",
        "max_logit",
        "energy",
        "entropy",
        "margin",
        "generalized_entropy",
        "mutual_information",
        "disagreement",
        "variance",
        "mahalanobis",
        "relative_mahalanobis",
        "knn",
        "vim",
    ]


def test_each_class_has_the_name_of_its_key():
    for name, entry in SCORES.items():
        if needs_features(name):
            assert entry.name == name


def test_the_defaults_are_in_the_table():
    assert set(DEFAULT_SCORES) < set(SCORES)


def test_function_stays_and_class_gives_an_unfitted_object():
    assert score("msp") is msp
    found = score("mahalanobis")
    assert type(found) is Mahalanobis and not found.parameters


@pytest.mark.parametrize("find", [score, needs_features, ready_score])
def test_unknown_score_lists_those_that_exist(find):
    with pytest.raises(ValueError, match="Unknown score: 'best'.*'msp'"):
        find("best")


def test_names_classes_and_objects_say_whether_they_need_features():
    for it in ("knn", SCORES["knn"], score("knn")):
        assert needs_features(it)
    for it in ("msp", msp, lambda fields: fields.entropy):
        assert not needs_features(it)


def test_ready_score_wants_a_fitted_one():
    assert ready_score("msp") is msp
    assert ready_score(msp) is msp
    for it in ("vim", score("vim")):
        with pytest.raises(ValueError, match='Score "vim" is not fitted'):
            ready_score(it)
    with pytest.raises(ValueError, match="A score must be a name.*None"):
        ready_score(None)


def test_scores_have_names():
    def likely(fields):
        return fields.confidence

    found = [score_name(it) for it in ("msp", msp, score("knn"), likely)]
    assert found == ["msp", "msp", "knn", "likely"]


def test_scores_differ_in_their_names():
    check_distinct(["msp", "entropy", Mahalanobis()])
    with pytest.raises(ValueError, match=r"twice: \['mahalanobis'\]"):
        check_distinct([Mahalanobis(1e-3), Mahalanobis(100.0)])

    class Wide(Mahalanobis):
        name = "wide"

    check_distinct([Mahalanobis(), Wide(100.0)])
