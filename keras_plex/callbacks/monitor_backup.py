"""A file with what was measured last, for a `fit` that was killed."""

import json
import os
import pathlib

FILE = "reliability_monitor.json"


class MonitorBackup:
    """Keeps the values of the last epoch in a folder.

    Args:
        directory: made if need be; that of `BackupAndRestore` will do.
    """

    def __init__(self, directory: str | os.PathLike):
        self.path = pathlib.Path(directory) / FILE

    def write(self, epoch: int, values: dict[str, float]) -> None:
        """Replaces the file at once: a kill leaves the old or the new one."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps({"epoch": epoch, "values": values}))
        new.replace(self.path)

    def read(self, epoch: int) -> dict[str, float]:
        """The values of that epoch; none if the file holds another's."""
        if not self.path.is_file():
            return {}
        found = json.loads(self.path.read_text())
        return found["values"] if found["epoch"] == epoch else {}

    def delete(self) -> None:
        """Removes the file, if it is there."""
        self.path.unlink(missing_ok=True)
