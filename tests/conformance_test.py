"""Layers, metrics, families and tasks keep their contracts on every backend."""

import keras
import pytest

import keras_plex
from keras_plex import metrics
from keras_plex import tasks
from keras_plex.conversion import families
from keras_plex.testing import check_family
from keras_plex.testing import check_layer
from keras_plex.testing import check_metric
from keras_plex.testing import check_task
from tests import cases
from tests import task_cases
from tests.layer_cases import LAYERS
from tests.metric_cases import METRICS
from tests.other_backends import OTHER_BACKENDS
from tests.other_backends import run_tests


@pytest.mark.parametrize("name", LAYERS)
def test_layer_keeps_its_contracts(name):
    check_layer(*LAYERS[name])


@pytest.mark.parametrize("name", METRICS)
def test_metric_keeps_its_contracts(name):
    metric_class, arguments, make_batch, *others = METRICS[name]
    names = ("reads_labels", "tolerance")
    options = dict(zip(names, others, strict=True))
    check_metric(metric_class, arguments, make_batch, **options)


@pytest.mark.parametrize("name", task_cases.TASKS)
def test_task_keeps_its_contracts(name):
    make_task, make_poor_model = task_cases.TASKS[name]
    check_task(make_task, task_cases.logits_model(), make_poor_model())


# JAX compiles each operation of each model: of all families that is a tenth
# of the time of all tests.
FAMILIES = [
    name
    if keras.config.backend() != "jax" or name in cases.FEW_FAMILIES
    else pytest.param(name, marks=pytest.mark.exhaustive)
    for name in cases.FAMILIES
]


# Messages of the stock models themselves, converted or not.
@pytest.mark.filterwarnings("ignore:.*does not support masking:UserWarning")
@pytest.mark.filterwarnings("ignore:Cannot tell where the rows:UserWarning")
@pytest.mark.filterwarnings("ignore:Gradients do not exist:UserWarning")
@pytest.mark.filterwarnings("ignore:(?s).*Using a non-tuple:UserWarning")
@pytest.mark.filterwarnings("ignore:.*native_serialization:DeprecationWarning")
@pytest.mark.parametrize("name", FAMILIES)
def test_family_keeps_its_contracts(name):
    case = cases.FAMILIES[name]
    check_family(
        lambda: cases.make_family(name),
        cases.family_arguments(name),
        make_inputs=case.make_inputs or cases.examples,
        tiles_inputs=case.tiles_inputs,
        # tests/backends_test.py loads the files of all of them.
        fresh_process=False,
    )


def test_every_family_has_a_row():
    models = [case.make_model() for case in cases.FAMILIES.values()]
    known = {
        name
        for name, family in families.FAMILIES.items()
        if family.refusal or any(map(family.is_member, models))
    }
    missing = sorted(set(families.FAMILIES) - known)
    assert not missing, f"Add rows to FAMILIES in tests/cases.py for {missing}."


def test_every_public_layer_has_a_row():
    public = public_classes(keras_plex.layers, keras.layers.Layer)
    missing = public - {case.layer_class for case in LAYERS.values()}
    names = sorted(layer_class.__name__ for layer_class in missing)
    assert not names, f"Add rows to tests/layer_cases.py for {names}."


def test_every_public_metric_has_a_row():
    public = public_classes(metrics, keras.metrics.Metric)
    missing = public - {case.metric_class for case in METRICS.values()}
    names = sorted(metric_class.__name__ for metric_class in missing)
    assert not names, f"Add rows to tests/metric_cases.py for {names}."


def test_every_task_has_a_row():
    missing = sorted(set(tasks.TASKS) - set(task_cases.TASKS))
    assert not missing, f"Add rows to tests/task_cases.py for {missing}."
    public = public_classes(tasks, tasks.Task) - {tasks.Task}
    assert public == set(tasks.TASKS.values())


def public_classes(package, base):
    values = vars(package).values()
    return {x for x in values if isinstance(x, type) and issubclass(x, base)}


@pytest.mark.slow
@pytest.mark.parametrize("backend", OTHER_BACKENDS)
@pytest.mark.parametrize("kind", ["layer", "metric", "task", "family"])
def test_all_keep_their_contracts_on_another_backend(backend, kind):
    run_tests(backend, __file__, "-k", f"test_{kind}_keeps_its_contracts")
