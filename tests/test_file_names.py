"""Study names as file names."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.errors import StudyFileError
from sweep.spec import StudySpec, load_study
from sweep.study.report_paths import comparison_path, report_path
from sweep.support.file_names import slug

NEAR = [
    "my study",
    "my-study",
    "My-Study",
    "my--study",
    "my-study-67549874",
    "my_study",
    "my.study",
]
STRANGE = [
    "",
    "..",
    ".",
    "-",
    "a/b",
    "index",
    "Index",
    "con",
    "NUL",
    "lpt1",
    "ü",
    "u\u0308",
    "x" * 99,
]


def test_a_plain_name_stays():
    """Nobody should look for a file under another name than the study's."""
    assert slug("mnist-mlp_2") == "mnist-mlp_2"


@given(st.text())
def test_a_slug_is_a_harmless_file_name(name):
    """Whatever the name, the file name has no separator, no dot, and a bounded length."""
    found = slug(name)
    assert found
    assert all(c.isascii() and (c.isalnum() or c in "-_") for c in found)
    assert not found.startswith("-")
    assert len(found) <= 78


@given(st.text(), st.text())
def test_names_that_differ_do_not_share_a_slug(a, b):
    """Two studies never write over each other's report."""
    assert (slug(a) == slug(b)) == (a == b)


@given(st.text(alphabet="aAbB-. 0", max_size=6), st.text(alphabet="aAbB-. 0", max_size=6))
def test_names_that_are_alike_do_not_share_a_slug(a, b):
    """Also where a file system does not tell capitals from small letters."""
    assert (slug(a).lower() == slug(b).lower()) == (a == b)


@pytest.mark.parametrize("name", NEAR + STRANGE)
def test_no_name_is_what_another_one_becomes(name):
    """A study named as another's file takes another file, however often one goes on so."""
    names, made = [name], slug(name)
    while made not in names and len(names) < 5:
        names.append(made)
        made = slug(made)
    old = f"my-study-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    every = {*NEAR, *STRANGE, *names, old}
    assert len({slug(each).lower() for each in every}) == len(every)
    assert slug(name) not in ("index", "con", "nul", "lpt1")


def test_no_study_has_the_file_of_a_comparison_or_of_the_list():
    """`sweep compare a b` leaves the report of a study named a-vs-b alone."""
    assert comparison_path(["a", "b"]).name.startswith("a-vs-b--")
    pages = [["a", "b"], ["a-vs-b", "c"], ["a", "b-vs-c"], ["a", "b", "c"]]
    paths = {comparison_path(each) for each in pages}
    studies = {report_path(each) for each in ("a-vs-b", "a", "index", "a-vs-b-vs-c")}
    assert (len(paths), len(studies), paths & studies) == (4, 4, set())
    assert all(path.name != "index.html" for path in paths | studies)


OUTER = {
    "study": {"name": "plain / outer 1 of 2"},
    "data": {"dataset": "digits"},
    "search": {"method": "grid", "cv": 2},
    "space": {"hidden_size": [2, 3]},
}


def test_no_person_names_a_study_as_an_outer_fold_is_named():
    """Whether in the file or by --name; a ledger of an older version that has one is read."""
    with pytest.raises(StudyFileError, match=r'study\.name: must not end in "/ outer N of M"'):
        load_study(OUTER)
    with pytest.raises(StudyFileError, match="take another name"):
        load_study("digits-grid", set_=['study.name="a / outer 12 of 40"'])
    plain = load_study({**OUTER, "study": {"name": "plain / outer one"}}).plain()
    held = {**plain, "study": {**plain["study"], **OUTER["study"]}}
    assert StudySpec.from_plain(held).study.name == "plain / outer 1 of 2"
