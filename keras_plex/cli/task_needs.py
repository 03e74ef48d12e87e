"""The table of what each task needs from files, for the command line."""

from typing import NamedTuple

LABELS, SOFT_LABELS, GROUPS = "labels", "soft labels", "groups"


class Need(NamedTuple):
    """One of a task's data sets.

    Args:
        role: the word on the command line: `"ood"` for `ood.svhn=FILE`.
        argument: of the task's class.
        has: what a file must hold beside inputs; `None` for nothing.
        is_many: whether there are several, by name.
        is_optional: whether the task does without.
    """

    role: str
    argument: str
    has: str | None = LABELS
    is_many: bool = False
    is_optional: bool = False

    @property
    def word(self) -> str:
        """How it is typed."""
        return f"{self.role}.NAME" if self.is_many else self.role

    def __str__(self) -> str:
        held = "x" if self.has is None else f"x, {self.has}"
        if self.has in (SOFT_LABELS, GROUPS):
            held = "x, soft y" if self.has == SOFT_LABELS else "x, y, groups"
        held = held.replace(LABELS, "y")
        text = f"{self.word} ({held})"
        return f"[{text}]" if self.is_optional else text


TEST = Need("test", "test")

# Kind of task -> its data.
NEEDS: dict[str, tuple[Need, ...]] = {
    "calibration": (TEST,),
    "selective_prediction": (TEST,),
    "open_set_recognition": (
        Need("test", "test", has=None),
        Need("ood", "unknown", has=None, is_many=True),
        Need("train", "training", is_optional=True),
    ),
    "label_uncertainty": (Need("test", "test", has=SOFT_LABELS),),
    "in_distribution": (TEST,),
    "covariate_shift": (
        TEST,
        Need("shifted", "shifted", is_many=True, is_optional=True),
    ),
    "subpopulation_shift": (Need("test", "test", has=GROUPS),),
    "active_learning": (Need("train", "pool"), TEST),
    "few_shot_learning": (Need("train", "train"), TEST),
    "few_shot_uncertainty": (
        Need("train", "train"),
        TEST,
        Need("ood", "ood", has=None, is_many=True, is_optional=True),
    ),
}
