"""The file of a monitor is there as a whole, or not at all."""

from keras_plex.callbacks.monitor_backup import MonitorBackup


def test_the_values_of_the_epoch_asked_for_come_back(tmp_path):
    backup = MonitorBackup(tmp_path / "new" / "folder")
    assert backup.read(0) == {}
    backup.write(3, {"val_nll": 0.1})
    assert backup.read(3) == {"val_nll": 0.1}
    assert backup.read(2) == backup.read(4) == {}
    backup.write(4, {"val_nll": 0.2})
    assert backup.read(4) == {"val_nll": 0.2}
    assert len(list(backup.path.parent.iterdir())) == 1


def test_deleting_what_is_not_there_is_no_error(tmp_path):
    backup = MonitorBackup(tmp_path)
    backup.delete()
    backup.write(0, {})
    backup.delete()
    assert not list(tmp_path.iterdir())
