"""The list of tasks is that of the package."""

import json

from keras_plex.cli.main import main
from keras_plex.tasks import TASKS


def test_json_has_every_task_and_what_it_needs(capsys):
    assert main(["tasks", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["kind"] for one in found["tasks"]] == list(TASKS)
    by_kind = {one["kind"]: one for one in found["tasks"]}
    assert by_kind["open_set_recognition"]["headline"] == "auroc"
    assert by_kind["calibration"]["data"] == ["test (x, y)"]
    assert isinstance(found["benchmarks"], list)


def test_the_table_shows_whole_names(capsys):
    assert main(["tasks"]) == 0
    printed = capsys.readouterr().out
    for kind in TASKS:
        assert kind in printed
    assert "ood.NAME" in printed and "[train" in printed
