"""Ways to make a small model reliable, on real images and texts.

You will learn how `plexify` compares with the stock model, temperature scaling,
MC dropout, each of its own parts, Laplace, LoRA ensembles and a deep ensemble
of three: right or wrong, calibrated or not, unknown and shifted inputs, people
who disagree.

    python examples/evidence --data FOLDER --out RESULTS --seeds 0 1 2
    python examples/evidence --table docs/evidence.csv  # prints known numbers

Each model is evaluated with `keras_plex.evaluate`; its report is kept under
RESULTS, and a run that was stopped goes on where it was. docs/evidence.md says
where the data come from, and holds the tables.
"""

import argparse
import functools
import json
import pathlib
import sys
import time

import keras
import numpy as np

sys.path.insert(1, str(pathlib.Path(__file__).resolve().parents[1]))

from costs import print_costs
from methods import METHODS
from methods import Study
from methods import encoded
from methods import recipe_of
from problems import PROBLEMS
from problems import SEVERITIES
from problems import Problem
from problems import shortened
from results import merge
from results import read_reports
from results import read_table
from results import write_table
from tables import format_tables

import keras_plex
from keras_plex import tasks

BATCH_SIZE = 250


def open_study(
    name: str,
    data: pathlib.Path,
    out: pathlib.Path,
    seed: int,
    examples: int | None,
) -> Study:
    """The data and the functions that give stock weights, from files or new."""
    raw = shortened(PROBLEMS[name](data, seed), examples)
    recipe = recipe_of(raw)
    encode = recipe.make_encoder(raw)
    problem = encoded(raw, encode)
    folder = out / name / f"seed_{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    study = Study(
        name,
        problem,
        recipe,
        lambda: recipe.make(problem, encode),
        lambda number: weights("trained", number),
        lambda number: weights("continued", number),
        seed,
        folder,
    )

    @functools.cache
    def weights(stage: str, number: int) -> list[np.ndarray]:
        path = folder / f"{stage}_{number}.npz"
        if not path.exists():
            keras.utils.set_random_seed(100 * seed + number)
            model = study.make()
            if stage == "continued":
                model.set_weights(weights("trained", number))
            study.train(model, further=stage == "continued")
            write_weights(path, model.get_weights())
        with np.load(path) as arrays:
            return [arrays[key] for key in arrays.files]

    return study


def write_weights(path: pathlib.Path, weights: list[np.ndarray]) -> None:
    unfinished = path.with_suffix(".part.npz")
    np.savez(unfinished, *weights)
    unfinished.replace(path)


def make_tasks(problem: Problem) -> list[tasks.Task]:
    """What the problem has data for."""
    test = problem.test
    found = [
        tasks.InDistribution(test),
        tasks.Calibration(test),
        tasks.SelectivePrediction(test),
        tasks.OpenSetRecognition(test, problem.unknown, training=problem.train),
    ]
    if problem.shifted:
        found.append(tasks.CovariateShift(test, problem.shifted, name="shift"))
    if problem.corruptions:
        found.append(
            tasks.CovariateShift(
                problem.corrupted,
                corruptions=problem.corruptions,
                severities=SEVERITIES,
                value_range=(0.0, 1.0),
                name="corruptions",
            )
        )
    if problem.annotated is not None:
        found.append(tasks.LabelUncertainty(problem.annotated))
    return found


def run(study: Study, method: str) -> None:
    """Makes the model of a method and writes its report, unless it is there."""
    folder = study.folder / method
    if (folder / "report.json").exists():
        return
    start = time.perf_counter()
    keras.utils.set_random_seed(100 * study.seed)
    model = METHODS[method](study)
    report = keras_plex.evaluate(
        model,
        make_tasks(study.problem),
        batch_size=BATCH_SIZE,
        resamples=0,
        verbose=0,
    )
    report.save(folder)
    line = {
        "problem": study.name,
        "seed": study.seed,
        "method": method,
        "accuracy": round(report["in_distribution"]["accuracy"].value, 4),
        "nll": round(report["in_distribution"]["nll"].value, 4),
        "ece": round(report["calibration"]["ece"].value, 4),
        "auroc": round(report["open_set_recognition"]["auroc"].value, 4),
        "seconds": round(time.perf_counter() - start),
    }
    print(json.dumps(line), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data",
        type=pathlib.Path,
        help="folder of the files; without it only --table is printed",
    )
    parser.add_argument(
        "--out",
        type=pathlib.Path,
        default="evidence",
        help="folder for weights and reports",
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--examples", type=int, help="of each set; for a try")
    parser.add_argument("--problems", nargs="+", default=list(PROBLEMS))
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument(
        "--table",
        type=pathlib.Path,
        help="a CSV file to which the numbers are added",
    )
    parser.add_argument(
        "--costs", action="store_true", help="only measure what methods cost"
    )
    arguments = parser.parse_args()
    if arguments.data is not None:
        run_all(arguments)
    if not arguments.costs:
        rows = [] if arguments.data is None else read_reports(arguments.out)
        if arguments.table is not None:
            rows = merge(read_table(arguments.table), rows)
            write_table(arguments.table, rows)
        print(*format_tables(rows, METHODS), sep="\n")


def run_all(arguments: argparse.Namespace) -> None:
    """Every method on every problem, seed by seed."""
    for seed in arguments.seeds:
        for name in arguments.problems:
            study = open_study(
                name, arguments.data, arguments.out, seed, arguments.examples
            )
            if arguments.costs:
                print_costs(study, arguments.methods)
                continue
            for method in arguments.methods:
                run(study, method)


if __name__ == "__main__":
    main()
