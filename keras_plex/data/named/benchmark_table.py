"""The table of named benchmarks."""

from keras_plex.data.corruptions.corrupt_images import IMAGE_CORRUPTIONS
from keras_plex.data.corruptions.corrupt_texts import TEXT_CORRUPTIONS
from keras_plex.data.named.benchmark import Benchmark
from keras_plex.data.named.benchmark import Part

CIFAR10 = Part("cifar10", "test")
CIFAR100 = Part("cifar100", "test")
IMAGENET = Part("imagenet2012", "validation")
PLACES365 = Part("places365_small", "validation")
SVHN = Part("svhn_cropped", "test")
MNLI = Part("mnli", "validation_matched")
WIKIPEDIA = Part("wikipedia_toxicity", "test")

# The part of a data set that is like the training data.
IN_DISTRIBUTION = {
    "cifar10": CIFAR10,
    "cifar100": CIFAR100,
    "imagenet": IMAGENET,
    "fashion_mnist": Part("fashion_mnist", "test"),
    "retina": Part("diabetic_retinopathy", "test"),
    "mnli": MNLI,
    "wikipedia_toxicity": WIKIPEDIA,
    "civil_comments": Part("civil_comments", "test"),
    "clinc_oos": Part("clinc_oos", "test"),
    "trec": Part("trec", "test"),
}

OPEN_SET = {
    "cifar10": Benchmark(
        "open_set_recognition",
        CIFAR10,
        {"cifar100": CIFAR100, "svhn_cropped": SVHN},
        train=Part("cifar10", "train"),
    ),
    "cifar100": Benchmark(
        "open_set_recognition",
        CIFAR100,
        {"cifar10": CIFAR10, "svhn_cropped": SVHN},
        train=Part("cifar100", "train"),
    ),
    "imagenet": Benchmark(
        "open_set_recognition", IMAGENET, {"places365_small": PLACES365}
    ),
    "fashion_mnist": Benchmark(
        "open_set_recognition",
        IN_DISTRIBUTION["fashion_mnist"],
        {"mnist": Part("mnist", "test")},
    ),
    "clinc_oos": Benchmark(
        "open_set_recognition",
        IN_DISTRIBUTION["clinc_oos"],
        {"out_of_scope": Part("clinc_oos", "test_oos")},
    ),
}

LABEL_UNCERTAINTY = {
    "cifar10h": Part("cifar10h", "test"),
    "imagenet_real": Part("imagenet2012_real", "validation"),
}

IMAGENET_CORRUPTED = {
    f"{corruption}/{severity}": Part(
        f"imagenet2012_corrupted/{corruption}_{severity}", "validation"
    )
    for corruption in IMAGE_CORRUPTIONS
    for severity in range(1, 6)
}
IMAGENET_NATURAL = {
    "imagenet_a": Part("imagenet_a", "test"),
    "imagenet_r": Part("imagenet_r", "test"),
    "imagenet_v2": Part("imagenet_v2", "test"),
}
# The model has two classes: entailment and the rest.
HANS = Part("hans", "evaluation")

COVARIATE_SHIFT = {
    "imagenet": Benchmark(
        "covariate_shift", IMAGENET, IMAGENET_CORRUPTED | IMAGENET_NATURAL
    ),
    "imagenet_corrupted": Benchmark(
        "covariate_shift", IMAGENET, IMAGENET_CORRUPTED
    ),
    "imagenet_natural": Benchmark(
        "covariate_shift", IMAGENET, IMAGENET_NATURAL
    ),
    "mnli": Benchmark(
        "covariate_shift",
        MNLI,
        {"mismatched": Part("mnli", "validation_mismatched")},
    ),
    "hans": Benchmark("covariate_shift", MNLI, {"hans": HANS}),
    "wikipedia_toxicity": Benchmark(
        "covariate_shift",
        WIKIPEDIA,
        {"civil_comments": IN_DISTRIBUTION["civil_comments"]},
    ),
    **{
        name: Benchmark(
            "covariate_shift",
            IN_DISTRIBUTION[name],
            options={"corruptions": tuple(corruptions)},
        )
        for corruptions, names in (
            (IMAGE_CORRUPTIONS, ("cifar10", "cifar100", "fashion_mnist")),
            (TEXT_CORRUPTIONS, ("clinc_oos", "trec")),
        )
        for name in names
    },
}

SUBPOPULATION_SHIFT = {
    "cifar100": Part("cifar100", "test", with_groups=True),
    "imagenet_r": Part("imagenet_r", "test", with_groups=True),
    "civil_comments": Part(
        "civil_comments_identities", "test", with_groups=True
    ),
    "clinc_oos": Part("clinc_oos", "test", with_groups=True),
    "hans": Part("hans", "evaluation", with_groups=True),
}

ACTIVE_LEARNING = {
    "cifar10": Benchmark(
        "active_learning", CIFAR10, train=Part("cifar10", "train")
    ),
    "cifar100": Benchmark(
        "active_learning", CIFAR100, train=Part("cifar100", "train")
    ),
    "imagenet": Benchmark(
        "active_learning", IMAGENET, train=Part("imagenet2012", "train")
    ),
    "places365_small": Benchmark(
        "active_learning", PLACES365, train=Part("places365_small", "train")
    ),
    "fashion_mnist": Benchmark(
        "active_learning",
        IN_DISTRIBUTION["fashion_mnist"],
        train=Part("fashion_mnist", "train"),
    ),
    "clinc_oos": Benchmark(
        "active_learning",
        IN_DISTRIBUTION["clinc_oos"],
        train=Part("clinc_oos", "train"),
    ),
}

# Of each class; the training data of ImageNet hold ten.
SHOTS = (1, 5, 10)
# Two have no test split: a part of the training data is kept for it.
FEW_SHOT = {
    "imagenet": (Part("imagenet2012_fewshot", "train"), IMAGENET),
    "imagenet_10pct": (Part("imagenet2012_subset/10pct", "train"), IMAGENET),
    "cifar10": (Part("cifar10", "train"), CIFAR10),
    "cifar100": (Part("cifar100", "train"), CIFAR100),
    "colorectal_histology": (
        Part("colorectal_histology", "train[:2000]"),
        Part("colorectal_histology", "train[2000:]"),
    ),
    "uc_merced": (
        Part("uc_merced", "train[:1000]"),
        Part("uc_merced", "train[1000:]"),
    ),
    **{
        name: (Part(name, "train"), Part(name, "test"))
        for name in (
            "caltech_birds2011",
            "caltech101",
            "cars196",
            "dtd",
            "oxford_iiit_pet",
            "fashion_mnist",
            "clinc_oos",
            "trec",
        )
    },
}
FEW_SHOT_UNKNOWN = {
    "cifar10": {"cifar100": CIFAR100},
    "cifar100": {"cifar10": CIFAR10},
    "imagenet": {"places365_small": PLACES365},
    "imagenet_10pct": {"places365_small": PLACES365},
    "fashion_mnist": {"mnist": Part("mnist", "test")},
    "clinc_oos": {"out_of_scope": Part("clinc_oos", "test_oos")},
}


def _of_one_part(kind: str, parts: dict[str, Part]) -> dict[str, Benchmark]:
    return {name: Benchmark(kind, part) for name, part in parts.items()}


BENCHMARKS: dict[str, Benchmark] = {
    f"{family}/{name}": benchmark
    for family, rows in {
        "calibration": _of_one_part("calibration", IN_DISTRIBUTION),
        "selective_prediction": _of_one_part(
            "selective_prediction", IN_DISTRIBUTION
        ),
        "open_set": OPEN_SET,
        "label_uncertainty": _of_one_part(
            "label_uncertainty", LABEL_UNCERTAINTY
        ),
        "in_distribution": _of_one_part("in_distribution", IN_DISTRIBUTION),
        "covariate_shift": COVARIATE_SHIFT,
        "subpopulation_shift": _of_one_part(
            "subpopulation_shift", SUBPOPULATION_SHIFT
        ),
        "active_learning": ACTIVE_LEARNING,
        "few_shot": {
            name: Benchmark(
                "few_shot_learning",
                test,
                train=train,
                options={"shots": SHOTS},
            )
            for name, (train, test) in FEW_SHOT.items()
        },
        "few_shot_uncertainty": {
            name: Benchmark(
                "few_shot_uncertainty",
                test,
                FEW_SHOT_UNKNOWN.get(name, {}),
                train=train,
                options={"shots": SHOTS},
            )
            for name, (train, test) in FEW_SHOT.items()
        },
    }.items()
    for name, benchmark in rows.items()
}
