"""A service over an empty ledger, and clients of each role."""

from contextlib import contextmanager

from starlette.testclient import TestClient

from sweep.service.app import create_app, open_service
from sweep.service.settings import Configuration, Settings

START = "the-start-token"
BASE = "http://127.0.0.1:8080"


@contextmanager
def opened(storage, **settings):
    """Yield a service and its application; nothing listens."""
    service = open_service(Settings(storage=storage, **settings), START)
    try:
        with TestClient(create_app(service), base_url=BASE) as client:
            yield service, client
    finally:
        service.close()


def limited(**limits):
    """Return a configuration with other limits."""
    return Configuration.model_validate({"limits": limits})


def bearer(token):
    """Return the header that a program sends."""
    return {"Authorization": f"Bearer {token}"}
