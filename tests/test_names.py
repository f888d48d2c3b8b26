"""Study names as file names."""

from hypothesis import given
from hypothesis import strategies as st

from sweep.names import slug


def test_a_plain_name_stays():
    """Nobody should look for a file under another name than the study's."""
    assert slug("mnist-mlp_2") == "mnist-mlp_2"


@given(st.text())
def test_a_slug_is_a_harmless_file_name(name):
    """Whatever the name, the file name has no separator, no dot, and a bounded length."""
    found = slug(name)
    assert found
    assert all(c.isascii() and (c.isalnum() or c in "-_") for c in found)
    assert len(found) <= 69


@given(st.text(), st.text())
def test_names_that_differ_do_not_share_a_slug(a, b):
    """Two studies never write over each other's report."""
    assert (slug(a) == slug(b)) == (a == b)
