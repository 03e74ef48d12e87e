"""Names of curves and measures, as a reader would say them."""

from keras_plex.tasks.measures import find_measure

ABBREVIATIONS = frozenset({"auc", "aupr", "auroc", "ece", "nll"})


def in_words(name: str) -> str:
    """The name with spaces, a capital, and abbreviations in capitals.

    Example:

    >>> in_words("calibration_auc"), in_words("few_shot")
    ('Calibration AUC', 'Few shot')
    """
    words = [
        word.upper() if word in ABBREVIATIONS else word
        for word in name.split("_")
    ]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def which_is_better(measure: str) -> str:
    """The direction of a measure, as a sentence."""
    is_higher = find_measure(measure).higher_is_better
    return f"{'Higher' if is_higher else 'Lower'} is better."
