"""What the ledger holds of a study file, read with the study file's own defaults."""

from dataclasses import replace

from records import grid_record

from sweep.ledger.stored_spec import StoredSearch
from sweep.spec import SearchSection

OLD = {"study": {"name": "old"}, "data": {"dataset": "digits"}, "search": {"method": "grid"}}
"""A study of a version that knew few of today's settings."""


def test_what_an_older_version_left_out_has_the_study_files_default():
    """A record of such a study is typed to the end."""
    settings = replace(grid_record(), spec=OLD).settings
    assert (settings.search.scoring, settings.search.refit) == ("accuracy", True)
    assert (settings.search.cv, settings.search.objectives) == (5, ("score",))
    assert (settings.study.seed, settings.data.scaling) == (0, "unit")


def test_a_record_with_another_study_file_has_other_settings():
    """Settings that were read once do not stay with a record that is changed."""
    record = grid_record()
    assert record.settings.search.refit
    search = {**record.spec["search"], "refit": False}
    assert not replace(record, spec={**record.spec, "search": search}).settings.search.refit


def test_a_header_alone_has_the_same_defaults():
    """What is asked of many headers needs no study file read whole."""
    stored = StoredSearch({"spec": OLD})
    given = SearchSection(method="grid", cv=5)
    names = ("method", "objectives", "patience", "max_fit_seconds", "refit", "nested")
    assert [getattr(stored, name) for name in names] == [getattr(given, name) for name in names]


def test_a_header_says_what_it_holds():
    """Settings that stand in it come before the defaults."""
    held = {
        "method": "tpe",
        "objectives": ["score", "parameters"],
        "patience": 3,
        "refit": False,
        "nested": 4,
    }
    stored = StoredSearch({"spec": {"search": {**held, "max_fit_seconds": 2.5}}})
    assert (stored.method, stored.objectives) == ("tpe", ("score", "parameters"))
    assert (stored.patience, stored.max_fit_seconds, stored.refit) == (3, 2.5, False)
    assert stored.nested == 4
