"""Each task says in plain words what it asks."""

from keras_plex.tasks import TASKS
from keras_plex.tasks.reports.explanations import EXPLANATIONS


def test_each_task_has_its_explanation():
    assert set(EXPLANATIONS) == set(TASKS)
    for text in EXPLANATIONS.values():
        assert "?" in text and "`" not in text and "_" not in text
