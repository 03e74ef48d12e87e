"""What each method costs beside the stock model, with weights of any kind."""

import dataclasses
import statistics
import time
from collections.abc import Callable

import keras
import numpy as np
from methods import METHODS
from methods import Study

from keras_plex.models.batch_details import predict_batch
from keras_plex.tasks.cost import measure_cost

BATCH_SIZE = 32
ROUNDS = 15
WARM_UP = 2


class Untrained(Study):
    """A study whose models have their shape, and learn nothing."""

    def train(self, model: keras.Model, *, further: bool) -> keras.Model:
        self.compile(model, further=further)
        return model


def untrained(study: Study) -> Untrained:
    """The study with random stock weights."""
    values = {
        field.name: getattr(study, field.name)
        for field in dataclasses.fields(study)
    }
    weights = study.make().get_weights()
    values["trained"] = values["continued"] = lambda number: weights
    values["folder"] = None
    return Untrained(**values)


def print_costs(study: Study, methods: list[str]) -> None:
    """A table of ratios to the stock model, taken in turns in this process."""
    study = untrained(study)
    batch = first_examples(study, BATCH_SIZE)
    models = {name: METHODS[name](study) for name in methods}
    flops = {
        name: measure_cost(model, batch[0], batch_size=BATCH_SIZE).flops
        for name, model in models.items()
    }
    forecasts = ratios(
        {
            name: lambda model=model: predict_batch(model, batch[0])
            for name, model in models.items()
        }
    )
    study.compile(models["stock"], further=True)
    trained = {
        name: model
        for name, model in models.items()
        if getattr(model, "optimizer", None) is not None
    }
    steps = ratios(
        {
            name: lambda model=model: model.train_on_batch(*batch)
            for name, model in trained.items()
        }
    )
    print(f"\n### {study.name}: ratios to the stock model\n")
    print("| method | weights | FLOPs | time of a forecast | of a step |")
    print("|---|---|---|---|---|")
    stock = models["stock"]
    for name, model in models.items():
        cells = [
            count(model) / count(stock),
            flops[name] / flops["stock"],
            forecasts[name],
            steps.get(name),
        ]
        shown = ["" if one is None else f"{one:.2f}" for one in cells]
        print(f"| {name} |", " | ".join(shown), "|")


def first_examples(study: Study, count: int) -> tuple:
    inputs, labels = study.problem.test
    return keras.tree.map_structure(lambda x: x[:count], inputs), labels[:count]


def count(model: keras.Model) -> int:
    """Numbers that the model holds, of its optimizer none."""
    return sum(int(np.prod(weight.shape)) for weight in model.weights)


def ratios(calls: dict[str, Callable]) -> dict[str, float]:
    """Median over rounds of the ratio to stock within a round."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(ROUNDS + WARM_UP):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            if turn >= WARM_UP:
                seconds[name].append(time.perf_counter() - start)
    return {
        name: statistics.median(
            one / other
            for one, other in zip(values, seconds["stock"], strict=True)
        )
        for name, values in seconds.items()
    }
