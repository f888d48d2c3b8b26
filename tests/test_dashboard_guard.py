"""Who may ask the dashboard, and where it may listen: the rules by themselves."""

import base64

import pytest

from sweep.dashboard.guard import PASSWORD, Guard, check_door, is_loopback
from sweep.errors import DashboardError

SECRET = "correct horse battery"  # noqa: S105
EVERYWHERE = "0.0.0.0"  # noqa: S104


def basic(password, scheme="Basic", user="me"):
    """Return the header that a browser sends."""
    return f"{scheme} {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


@pytest.mark.parametrize(
    "header",
    ["", "Basic", "Basic ?", "Basic ÿ", basic(""), basic(SECRET[:-1]), basic(SECRET, "Digest")],
)
def test_a_wrong_password_is_refused(header):
    """And what is no password at all."""
    asked = {"HTTP_HOST": "localhost", "REQUEST_METHOD": "GET", "HTTP_AUTHORIZATION": header}
    refusal = Guard("localhost", SECRET).refusal(asked)
    assert refusal is not None
    assert refusal.status == "401 Unauthorized"


@pytest.mark.parametrize("host", [EVERYWHERE, "::", "", "192.168.0.7", "example.org"])
def test_a_host_that_others_reach_needs_a_flag_and_a_password(host):
    """Both are told at once; with both it is allowed."""
    with pytest.raises(DashboardError) as told:
        check_door(host, "", public=False)
    assert "--public" in str(told.value)
    assert PASSWORD in str(told.value)
    with pytest.raises(DashboardError, match=PASSWORD):
        check_door(host, "", public=True)
    with pytest.raises(DashboardError, match="--public"):
        check_door(host, SECRET, public=False)
    check_door(host, SECRET, public=True)


def test_a_short_password_is_refused():
    """Also on loopback, where it would be asked for; its text is not repeated."""
    with pytest.raises(DashboardError, match="12 characters or more, has 6") as told:
        check_door("127.0.0.1", "s3cret", public=False)
    assert "s3cret" not in str(told.value)


def test_loopback():
    """Names and numbers of this machine alone."""
    assert all(map(is_loopback, ["127.0.0.1", "127.9.9.9", "::1", "localhost"]))
    assert not any(map(is_loopback, [EVERYWHERE, "::", "", "10.0.0.1", "localhost.evil.example"]))


def test_listening_everywhere_leaves_names_to_the_password():
    """The names of all its addresses are not known."""
    asked = {
        "HTTP_HOST": "box.lan:80",
        "REQUEST_METHOD": "GET",
        "HTTP_AUTHORIZATION": basic(SECRET),
    }
    assert Guard(EVERYWHERE, SECRET).refusal(asked) is None
    assert Guard("192.168.0.7", SECRET).refusal(asked).status == "403 Forbidden"
