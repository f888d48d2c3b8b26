"""What files take on the disk, and which go when room is needed."""

import os

from sweep.support.disk_space import make_room, newest_change, size_of


def filled(folder, size, used):
    """Make a folder with a file below it of that size, itself last changed at that time."""
    (folder / "below").mkdir(parents=True)
    (folder / "below" / "file").write_bytes(b"x" * size)
    for each in (folder / "below" / "file", folder / "below", folder):
        os.utime(each, (used, used))
    return folder


def test_the_size_of_a_folder_is_that_of_the_files_below(tmp_path):
    """Folders themselves take nothing; what is gone takes nothing."""
    folder = filled(tmp_path / "a", 70, 5)
    assert size_of(folder) == size_of(folder / "below" / "file") == 70
    assert size_of(tmp_path / "gone") == 0


def test_a_folder_is_as_new_as_what_is_in_it(tmp_path):
    """A file that is written again does not change the folder's own time."""
    folder = filled(tmp_path / "a", 1, 5)
    os.utime(folder / "below" / "file", (9, 9))
    assert newest_change(folder) == 9
    assert newest_change(tmp_path / "gone") == 0


def test_the_longest_unused_go_until_the_others_fit(tmp_path):
    """No more is removed than has to be."""
    folders = [filled(tmp_path / name, 10, used) for name, used in (("a", 3), ("b", 1), ("c", 2))]
    make_room(folders, limit=20)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a", "c"]


def test_what_is_in_use_stays(tmp_path):
    """It counts, and the others go for it."""
    folders = [filled(tmp_path / name, 10, used) for name, used in (("a", 1), ("b", 2), ("c", 3))]
    make_room(folders, limit=10, keep=folders[0])
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


def test_a_nanosecond_decides_which_goes_first(tmp_path):
    """Times of today that differ less than a float can say are still in order."""
    now = 1_800_000_000 * 10**9
    for name, used in (("b", now), ("a", now + 1)):
        (tmp_path / name).write_bytes(b"x" * 10)
        os.utime(tmp_path / name, ns=(used, used))
    make_room(tmp_path.iterdir(), limit=10)
    assert [each.name for each in tmp_path.iterdir()] == ["a"]
