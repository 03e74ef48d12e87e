"""The list of tasks is that of the package."""

import json

from keras_plex.cli.build_tasks import option_names
from keras_plex.cli.main import main
from keras_plex.data.named.benchmark_table import BENCHMARKS
from keras_plex.tasks import TASKS


def test_json_has_every_task_and_what_it_needs(capsys):
    assert main(["tasks", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["kind"] for one in found["tasks"]] == list(TASKS)
    by_kind = {one["kind"]: one for one in found["tasks"]}
    assert by_kind["open_set_recognition"]["headline"] == "auroc"
    assert by_kind["calibration"]["data"] == ["test (x, y)"]
    benchmarks = {one["name"]: one for one in found["benchmarks"]}
    assert set(benchmarks) == set(BENCHMARKS)
    assert benchmarks["open_set/cifar10"]["kind"] == "open_set_recognition"


def test_tables_show_whole_names_in_80_columns(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["tasks"]) == 0
    printed = capsys.readouterr().out
    words = set(printed.replace(",", " ").split())
    names = set(BENCHMARKS)
    sets = {
        part.data_set.partition("/")[0]
        for one in BENCHMARKS.values()
        for part, _ in one.parts()
    }
    options = {option for kind in TASKS for option in option_names(kind)}
    headlines = {task.headline for task in TASKS.values()}
    assert set(TASKS) | names | sets | options | headlines <= words
    assert "ood.NAME (x)" in printed and "[train (x, y)]" in printed
    assert "…" not in printed
    assert max(map(len, printed.splitlines())) <= 80


def test_downloads_are_summed_and_manual_ones_marked(capsys):
    assert main(["tasks"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = {line.split()[0]: line for line in lines if "/" in line}
    assert "322.9 MiB" in rows["few_shot_uncertainty/cifar10"]
    assert "by hand" in rows["open_set/imagenet"]
    assert "unknown" in rows["covariate_shift/hans"]
