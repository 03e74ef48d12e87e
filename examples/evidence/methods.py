"""What is compared: each method's model, from stock weights that are shared."""

import dataclasses
import pathlib
from collections.abc import Callable

import keras
from choose_defaults import freeze_all_but_members_and_head
from networks import NETWORKS
from networks import Recipe
from problems import Problem

import keras_plex
from keras_plex.models import DeepEnsemble
from keras_plex.models import MCDropout

MEMBERS = 3


@dataclasses.dataclass
class Study:
    """One problem and one seed: data as a network takes them, stock weights.

    Args:
        name: of the problem.
        problem: its data, encoded.
        recipe: of its networks.
        make: a new stock network, uncompiled.
        trained: gives the weights of stock model `number`, trained to the end.
        continued: the weights of that one after the further epochs.
        seed: of what is drawn at random.
        folder: where models are kept; `None` keeps none.
    """

    name: str
    problem: Problem
    recipe: Recipe
    make: Callable[[], keras.Model]
    trained: Callable[[int], list]
    continued: Callable[[int], list]
    seed: int = 0
    folder: pathlib.Path | None = None

    def stock(self, weights: list) -> keras.Model:
        """A stock model with these weights."""
        model = self.make()
        model.set_weights(weights)
        return model

    def train(self, model: keras.Model, *, further: bool) -> keras.Model:
        """Trains for the epochs of the recipe; gives the model back."""
        recipe = self.recipe
        epochs = recipe.further_epochs if further else recipe.epochs
        self.compile(model, further=further)
        model.fit(
            *self.problem.train,
            batch_size=recipe.batch_size,
            epochs=epochs[self.name],
            # Fits the mean-field factor of a Gaussian process.
            validation_data=self.problem.validation,
            verbose=0,
        )
        return model

    def compile(self, model: keras.Model, *, further: bool) -> None:
        """For training with the learning rate of the recipe."""
        recipe = self.recipe
        rate = recipe.further_learning_rate if further else recipe.learning_rate
        model.compile(
            recipe.optimizer(rate),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            jit_compile=False,
        )


Method = Callable[[Study], keras.Model]


def stock(study: Study) -> keras.Model:
    return study.stock(study.continued(0))


def mc_dropout(study: Study) -> keras.Model:
    return MCDropout(stock(study), num_samples=10, seed=study.seed)


def laplace(study: Study) -> keras.Model:
    """Nothing is trained: the posterior of the stock model's last layer."""
    model = keras_plex.plexify(stock(study), ensemble_size=1, head="laplace")
    inputs, _ = study.problem.train
    model.fit_covariance(inputs, validation_data=study.problem.validation)
    return model


def deep_ensemble(study: Study) -> keras.Model:
    numbers = range(MEMBERS)
    return DeepEnsemble([study.stock(study.continued(i)) for i in numbers])


def converted(freeze: bool = False, **arguments) -> Method:
    """A method that converts the stock model and trains further."""

    def method(study: Study) -> keras.Model:
        stock_model = study.stock(study.trained(0))
        model = keras_plex.plexify(stock_model, seed=study.seed, **arguments)
        if freeze:
            freeze_all_but_members_and_head(model)
        return study.train(model, further=True)

    return method


def kept(name: str, method: Method) -> Method:
    """The method, whose model is trained once for all that begin with it."""

    def load_or_make(study: Study) -> keras.Model:
        if study.folder is None:
            return method(study)
        path = study.folder / f"{name}.keras"
        if not path.exists():
            model = method(study)
            model.save(path)
        return keras.saving.load_model(path, compile=False)

    return load_or_make


def temperature(method: Method) -> Method:
    """The method's model, calibrated on the data that fits the others."""

    def calibrated(study: Study) -> keras.Model:
        model = method(study)
        model.calibrate(study.problem.validation, method="temperature")
        return model

    return calibrated


def ensemble_of_one(study: Study) -> keras.Model:
    """The stock model as an ensemble of one, which can be calibrated."""
    return DeepEnsemble([stock(study)])


ALONE = {"ensemble_size": 1, "last_blocks": 0}

PLEX = kept("plex", converted())

METHODS: dict[str, Method] = {
    "stock": stock,
    "temperature": temperature(ensemble_of_one),
    "mc_dropout": mc_dropout,
    "batch_ensemble": converted(head="keep"),
    "gp": converted(head="gp", **ALONE),
    "laplace": laplace,
    "heteroscedastic": converted(head="heteroscedastic", **ALONE),
    "lora_ensemble": converted(
        method="lora_ensemble",
        method_options={"rank": 8},
        last_blocks="all",
        head="keep",
        freeze=True,
    ),
    "plex": PLEX,
    "plex_temperature": temperature(PLEX),
    "plex_last_block": converted(last_blocks=1),
    "plex_last_features": converted(head_options={"kernel_inputs": "last"}),
    "deep_ensemble": deep_ensemble,
    "deep_ensemble_temperature": temperature(deep_ensemble),
}


def recipe_of(problem: Problem) -> Recipe:
    """How the networks of this kind of data are made."""
    return NETWORKS[problem.modality]


def encoded(problem: Problem, encode: Callable) -> Problem:
    """The problem with inputs as the network takes them."""
    return problem.with_sets(
        lambda arrays: (encode(arrays[0]), arrays[1]), encode
    )
