"""What the arguments of whatever measures a model can be."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence

from keras_plex.batches import check_data
from keras_plex.checks import check_seed
from keras_plex.checks import is_integer
from keras_plex.checks import is_positive_integer
from keras_plex.scores import Score
from keras_plex.scores import score
from keras_plex.scores.table import check_distinct
from keras_plex.types import Data

# What TensorFlow raises for inputs that a model cannot take.
MISFITS = ("InvalidArgumentError", "UnimplementedError")


def named_sets(sets: Mapping[str, Data] | None, argument: str) -> dict:
    """The sets as a dict; raises unless it maps names to data."""
    if sets is None:
        return {}
    if not isinstance(sets, Mapping):
        raise ValueError(
            f"`{argument}` must be a dict from name to data, as in "
            f'{argument}={{"svhn": dataset}}. Received: {type(sets).__name__}'
        )
    for name, data in sets.items():
        if not isinstance(name, str):
            raise ValueError(
                f"The names in `{argument}` must be strings. Received: {name!r}"
            )
        check_data(data, f"{argument}[{name!r}]")
    return dict(sets)


def known_scores(scores: Sequence[str | Score]) -> tuple[str | Score, ...]:
    """The scores as a tuple; raises for one that does not exist."""
    if isinstance(scores, str):
        raise ValueError(
            "`scores` must be a list of names. "
            f"Received: scores={scores!r}; did you mean ({scores!r},)?"
        )
    scores = tuple(scores)
    for one in scores:
        if isinstance(one, str):
            score(one)
        elif not callable(one):
            raise ValueError(
                "Each of `scores` must be a name, or a score such as "
                f"`load_score` gives. Received: {one!r}"
            )
    check_distinct(scores)
    return scores


def check_members(what: str, ensemble_size: int, instead: str) -> None:
    """Raises for what is 0 for every example of a model with one member.

    Args:
        what: measures how members differ.
        ensemble_size: of the model.
        instead: what such a model can have.
    """
    if ensemble_size < 2:
        raise ValueError(
            f"{what} measures how members differ, and this model has one. Make "
            "an ensemble of it, as with `keras_plex.plexify`, or use "
            f"{instead}."
        )


def check_positive(**arguments: int | None) -> None:
    """Raises unless each argument is a positive int, or `None`."""
    for name, value in arguments.items():
        if value is not None and not is_positive_integer(value):
            raise ValueError(
                f"`{name}` must be a positive integer. "
                f"Received: {name}={value!r}"
            )


def with_name_of_set(name: str, function: Callable, *args, **kwargs):
    """Calls a function; an error says in which set it occurred.

    What says that the data do not fit becomes a `ValueError`; other errors,
    such as that of too little memory, stay what they are.
    """
    where = f"Cannot measure the model on the set {name!r}."
    try:
        return function(*args, **kwargs)
    except Exception as error:
        is_misfit = type(error).__name__ in MISFITS
        if is_misfit or isinstance(error, (ValueError, TypeError)):
            raise ValueError(f"{where} {str(error)[:500]}") from error
        error.add_note(where)
        raise


def check_bootstrap(resamples: int, seed: int) -> None:
    """Raises unless both are what a bootstrap takes."""
    if seed is None:
        raise ValueError(
            "`seed` must be a non-negative integer: two models are compared "
            "on the same resamples. Received: seed=None"
        )
    check_seed(seed)
    if not is_integer(resamples) or resamples < 0:
        raise ValueError(
            "`resamples` must be an integer of at least 0. "
            f"Received: resamples={resamples!r}"
        )
