"""Apache Beam gives the report of `evaluate`, and loads a model once."""

import os
import subprocess
import sys

import pytest

from tests.other_backends import ROOT

# In a process of its own: Beam warns of much that pytest would make an error.
SCRIPT = """
import os, pathlib, pickle, sys
import apache_beam as beam
import keras_plex
from keras_plex.tasks.scale.beam import EvaluateOnBeam
from tests.task_cases import TASKS, logits_model

folder = sys.argv[1]

def load_model():
    import os, uuid
    from tests.task_cases import logits_model
    open(os.path.join(folder, "load-" + uuid.uuid4().hex), "w").close()
    return logits_model()

def make_tasks():
    from keras_plex.tasks.parts import shares_passes
    from tests.task_cases import TASKS
    tasks = [case.make_task() for case in TASKS.values()]
    return [task for task in tasks if shares_passes(task)]

def keep(report):
    import pickle
    with open(os.path.join(folder, "report"), "wb") as file:
        pickle.dump(report, file)

with beam.Pipeline("DirectRunner") as pipeline:
    shards = pipeline | EvaluateOnBeam(
        load_model, make_tasks, 4, resamples=3, seed=1
    )
    _ = shards | beam.Map(keep)

found = pickle.loads(pathlib.Path(folder, "report").read_bytes())
expected = keras_plex.evaluate(
    logits_model(), make_tasks(), resamples=3, seed=1, verbose=0
)
assert found.settings == expected.settings
for one, other in zip(found.results, expected.results, strict=True):
    assert repr(one.measures) == repr(other.measures), one.name
    assert one.num_examples == other.num_examples
    assert one.curves == other.curves
assert found.reliability_score == expected.reliability_score
print(len(list(pathlib.Path(folder).glob("load-*"))), "loads")
"""


@pytest.mark.slow
def test_the_report_is_that_of_evaluate(tmp_path):
    pytest.importorskip("apache_beam")  # the test extra brings it
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT, str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    loads = int(done.stdout.split()[-2])
    # One for each worker, not for each of the four shards.
    assert loads < 4, done.stdout


def test_without_beam_the_pip_line_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    monkeypatch.delitem(
        sys.modules, "keras_plex.tasks.scale.beam", raising=False
    )
    with pytest.raises(
        ModuleNotFoundError, match=r'pip install "keras_plex\[beam\]"'
    ):
        __import__("keras_plex.tasks.scale.beam")
