"""Which shifted sets are one shift in several severities, by their names."""

from collections.abc import Iterable
from collections.abc import Sequence

ALL_SEVERITIES = (1, 2, 3, 4, 5)


def split_severity(name: str) -> tuple[str, int | None]:
    """`"fog/3"` is severity 3 of `"fog"`; another name is a shift by itself."""
    shift, _, severity = name.rpartition("/")
    if shift and severity in map(str, ALL_SEVERITIES):
        return shift, int(severity)
    return name, None


def by_shift(names: Iterable[str]) -> dict[str, list[str]]:
    """Shift -> the names of its sets, one for each severity."""
    shifts: dict[str, list[str]] = {}
    for name in names:
        shifts.setdefault(split_severity(name)[0], []).append(name)
    for shift, found in shifts.items():
        if shift in found and len(found) > 1:
            raise ValueError(
                f"`shifted` must have {shift!r} as a whole or by severity, not "
                f"both. Received: {found}"
            )
    return shifts


def is_complete(shift: str, names: Sequence[str]) -> bool:
    """Whether all severities are there, or a set that is not told apart."""
    severities = {split_severity(name)[1] for name in names}
    return shift in names or severities == {*ALL_SEVERITIES}
