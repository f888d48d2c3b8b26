"""The queue as the service shows it: places, priorities, states, intervals of the best scores."""

import pytest
from ledgers import build, sections, stop
from service_client import START, bearer, opened

from sweep.ledger.ledger import Ledger
from sweep.service import states as states_module
from sweep.service.token_commands import add_token


@pytest.fixture
def place(tmp_path):
    """Return the file of a ledger with a finished, a half done and two waiting studies."""
    path = tmp_path / "ledger.db"
    for name, done, winner in (("old", None, True), ("half", 1, False), ("one", 0, False)):
        build(path, name, done=done, winner=winner)
    build(path, "two", done=0)
    return path


@pytest.fixture
def asked(place):
    """A service over these studies, and a client with the start's token."""
    with opened(f"sqlite:///{place}") as (service, client):
        client.headers |= bearer(START)
        yield service, client


def states(service):
    """What each study is at."""
    queue = service.queue()
    return {each.name: queue.state(each) for each in service.snapshot.copy.studies}


def test_studies_with_work_have_places_from_one(asked):
    """A finished one has none."""
    service, client = asked
    listed = client.get("/api/v1/studies").json()["studies"]
    places = {each["name"]: each["place"] for each in listed}
    assert places.pop("old") is None
    assert sorted(places.values()) == [1, 2, 3]
    assert states(service)["old"] == "finished"
    assert states(service)["two"] == "waiting"


def test_a_higher_priority_comes_first_at_once(asked):
    """The place changes with the answer, the act is written down."""
    service, client = asked
    answer = client.post("/api/v1/studies/two/priority", json={"priority": 5})
    assert answer.status_code == 200
    assert next(row.name for row in service.queue().rows) == "two"
    listed = client.get("/api/v1/queue").json()["studies"][0]
    assert (listed["name"], listed["priority"], listed["place"]) == ("two", 5, 1)


@pytest.mark.parametrize("wrong", [101, -101, 1.5, "high", None])
def test_a_priority_is_a_whole_number_from_minus_100_to_100(asked, wrong):
    """Anything else is 422, and nothing changes."""
    service, client = asked
    answer = client.post("/api/v1/studies/two/priority", json={"priority": wrong})
    assert answer.status_code == 422
    assert service.queue().priorities["two"] == 0


def test_a_study_of_somebody_else_keeps_its_priority(place):
    """A submitter moves their own studies alone."""
    storage = f"sqlite:///{place}"
    token = add_token(storage, "ann", "submit")
    with opened(storage) as (service, client):
        path = "/api/v1/studies/two/priority"
        assert client.post(path, json={"priority": 5}, headers=bearer(token)).status_code == 403
        assert service.queue().priorities["two"] == 0


def test_a_study_that_another_process_has_stopped_leaves_the_queue(asked, place):
    """Also where no number of the study changes."""
    service, _client = asked
    assert states(service)["half"] == "waiting"
    ledger = Ledger(f"sqlite:///{place}")
    ledger.stop("half", "2026-03-02T10:00:00+00:00")
    ledger.close()
    service.changed()
    assert states(service)["half"] == "stopped"
    assert "half" not in service.queue().places


def test_what_nobody_has_stopped_waits_or_runs(asked, place, monkeypatch):
    """Everywhere: where cells wait and none runs, a ledger alone would call it stopped."""
    service, client = asked
    paths = ("/studies/half", "/studies/half/best", "/studies/half/now", "/studies/half/outcome")

    def said():
        service.changed()
        listed = client.get("/api/v1/studies").json()["studies"]
        page = client.get("/studies/half/report").text
        found = {each["status"] for each in listed if each["name"] == "half"}
        found |= {client.get(f"/api/v1{path}").json()["status"] for path in paths[:3]}
        found.add(client.get(f"/api/v1{paths[3]}").json()["status"]["status"])
        compared = client.get("/api/v1/compare", params={"key": ["half", "old"]}).json()
        found |= {each["status"] for each in compared["studies"] if each["study"] == "half"}
        return found, "run it again to go on" in page

    monkeypatch.setattr(states_module, "RECENT_SECONDS", 0.0)
    assert said() == ({"waiting"}, False)
    monkeypatch.setattr(states_module, "RECENT_SECONDS", 1e6)  # between two cells
    assert said() == ({"running"}, False)
    stop(place, "half")
    assert said() == ({"stopped"}, True)


def test_the_interval_of_the_best_score_is_read_once(asked):
    """It holds the score, and is that of the whole record; a study without a score has none."""
    service, _client = asked
    service.intervals.read()
    found = {each.name: service.intervals.of(each) for each in service.snapshot.copy.studies}
    old = service.snapshot.copy.by_name["old"]
    assert found["old"].low < old.best < found["old"].high
    assert found["two"] is None
    number = service.snapshot.copy.number
    service.intervals.read()
    assert service.snapshot.copy.number == number


def test_a_study_handed_in_with_a_priority_is_put_there(asked):
    """The number of the request, without a second one."""
    service, client = asked
    from sweep.spec.toml import to_toml

    source = to_toml({**sections("third"), "data": {"dataset": "digits"}})
    answer = client.post("/api/v1/studies", json={"source": source, "priority": 7})
    assert answer.status_code == 201, answer.text
    assert service.queue().priorities["third"] == 7
