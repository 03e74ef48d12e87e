"""What each task asks, for readers who do not know its name."""

# The kind of a task -> one sentence or two in plain words.
EXPLANATIONS: dict[str, str] = {
    "calibration": (
        "Do its probabilities mean what they say? Of all forecasts that are "
        "80 % sure, 80 % should be right."
    ),
    "selective_prediction": (
        "Does it know when it is wrong? If it leaves out what it is least sure "
        "of, few errors should remain."
    ),
    "open_set_recognition": (
        "Does it know what it does not know? Inputs of classes that it never "
        "learnt should get higher scores than known ones."
    ),
    "label_uncertainty": (
        "Is it unsure where people disagree? Its forecast should look like the "
        "votes of the annotators."
    ),
    "in_distribution": (
        "Is it right on new data like those that it was trained on?"
    ),
    "covariate_shift": (
        "Is it still right, and no surer than it should be, when the inputs "
        "change: noise, blur, weather, another source?"
    ),
    "subpopulation_shift": (
        "Is a group left behind? A good mean can hide a group for which the "
        "model is poor."
    ),
    "active_learning": (
        "How few labels does it need, if it may choose which examples are "
        'labelled? "uniform" chooses at random.'
    ),
    "few_shot_learning": (
        "What does it learn from a few examples of each class?"
    ),
    "few_shot_uncertainty": (
        "After a few examples of each class, does it know how little it knows?"
    ),
}
