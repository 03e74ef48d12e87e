"""Facts tell tasks and data apart, and read each data set once."""

from keras_plex.tasks import CovariateShift
from keras_plex.tasks.parts import uses_by_data_set
from keras_plex.tasks.resume.facts import Facts
from tests.task_cases import TEST
from tests.task_cases import logits_model


def test_corrupted_copies_differ_though_their_data_do_not():
    images = TEST[0].reshape(-1, 2, 2, 1).clip(0, 1), TEST[1]
    task = CovariateShift(images, corruptions=("contrast",), severities=(1, 2))
    facts = Facts(logits_model(), 32)
    found = [
        facts.of_set(use)
        for uses in uses_by_data_set([task]).values()
        for use in uses
    ]
    assert len({str(one) for one in found}) == 3
    assert len({one["data"] for one in found}) == 1
    assert len(facts.known) == 1


def test_a_whole_task_is_told_by_its_options():
    task = CovariateShift(TEST, {"other": TEST})
    facts = Facts(logits_model(), 32).of_task(task)
    kind, options = facts["task"]
    assert kind == "covariate_shift" and options["name"] == "covariate_shift"
    assert set(facts["data"]) == {"clean", "other"}
