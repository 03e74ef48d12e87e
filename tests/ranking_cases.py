"""Scores that are hard to rank in bins, and forecasts with such uncertainty."""

import numpy as np


def spread(generator, size):
    return generator.normal(size=size)


def tied(generator, size):
    return generator.integers(0, 5, size)


def saturated(generator, size):
    """1, and the float32 numbers just below it."""
    return 1.0 - 2.0**-24 * generator.integers(0, 9, size)


def clustered(generator, size):
    """All within 1e-4 of each other."""
    return 0.5 + 1e-4 * generator.uniform(size=size)


def denormal(generator, size):
    """Of both signs, and below the smallest normal float32 number."""
    return 1e-44 * generator.integers(-9, 9, size)


def huge(generator, size):
    """Infinities included."""
    scores = 1e30 * generator.normal(size=size)
    scores[generator.uniform(size=size) < 0.1] = np.inf
    scores[generator.uniform(size=size) < 0.1] = -np.inf
    return scores


SCORES = {
    function.__name__: function
    for function in (spread, tied, saturated, clustered, denormal, huge)
}

UNCERTAINTIES = {
    "spread": lambda generator, size: 0.5 * generator.uniform(size=size),
    "tied": lambda generator, size: 0.1 * generator.integers(0, 5, size),
    "saturated": lambda generator, size: 1e-8 * generator.integers(0, 9, size),
    "clustered": lambda generator, size: (
        0.25 + 1e-4 * generator.uniform(size=size)
    ),
    "denormal": lambda generator, size: 1e-44 * generator.integers(0, 9, size),
}


def draw_scores(name, seed=0, size=60):
    """Scores, and for each 1 (OOD) or 0."""
    generator = np.random.default_rng(seed)
    scores = SCORES[name](generator, size).astype("float32")
    is_ood = generator.uniform(size=size) < 0.4
    is_ood[:2] = 0, 1
    return scores, is_ood.astype(int)


def draw_forecasts(name, seed=0, size=60):
    """Labels and probabilities of two classes with such an uncertainty.

    The uncertainty is a float32 number, so that no rounding reorders it.
    """
    generator = np.random.default_rng(seed)
    uncertainty = UNCERTAINTIES[name](generator, size).astype("float32")
    probabilities = np.stack([1 - uncertainty, uncertainty], axis=1)
    labels = (generator.uniform(size=size) < 0.3).astype(int)
    labels[:2] = 0, 1
    return labels, probabilities
