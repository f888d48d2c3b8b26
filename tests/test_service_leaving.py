"""What requests under way are told when the server stops."""

import asyncio
import json
import os
import signal
import threading
import time
from pathlib import Path

import httpx2
import pytest
from service_process import served

from sweep.service.leaving import STOPPING, Leaving

SLOW = """
[study]
name = "slow"
[data]
dataset = "digits"
[model]
factory = "slowly_loaded:make"
[search]
method = "grid"
cv = 3
[space]
epochs = [1]
"""


def cancelled(app):
    """Return what is sent where a server cancels a request."""
    sent = []

    async def send(message):
        sent.append(message)

    async def run():
        scope = {"type": "http", "path": "/api/v1/check", "method": "GET", "headers": []}
        task = asyncio.ensure_future(Leaving(app, lambda: {"x-own": "1"})(scope, None, send))
        await asyncio.sleep(0.01)
        task.cancel()
        await task

    asyncio.run(run())
    return sent


def test_a_request_that_is_cut_off_is_answered():
    """503, as every refusal is written."""

    async def slow(scope, receive, send):
        await asyncio.sleep(60)

    start, body = cancelled(slow)
    assert start["status"] == 503
    assert (b"x-own", b"1") in start["headers"]
    assert json.loads(body["body"])["detail"] == STOPPING


def test_an_answer_that_has_begun_is_not_begun_again():
    """The server closes the connection."""

    async def slow(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await asyncio.sleep(60)

    assert [message["status"] for message in cancelled(slow)] == [200]


@pytest.mark.parametrize("to_all", [False, True], ids=["server", "terminal"])
def test_a_server_ends_soon_and_without_a_traceback(tmp_path, to_all):
    """Whatever a request that is under way waits for; Ctrl-C reaches a terminal's processes."""
    begun = tmp_path / "begun"
    text = f"import pathlib, time\npathlib.Path({str(begun)!r}).touch()\ntime.sleep(60)\n"
    (tmp_path / "slowly_loaded.py").write_text(text)
    env = {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path.cwd())])}
    with served(tmp_path, "--workers", "0", "--allow", "slowly_loaded", env=env) as service:
        answers = []

        def ask():
            answers.append(
                httpx2.post(
                    f"{service.url}/api/v1/check",
                    json={"source": SLOW},
                    timeout=60,
                    headers={"Authorization": f"Bearer {service.token}"},
                )
            )

        asking = threading.Thread(target=ask)
        asking.start()
        end = time.monotonic() + 60
        while not begun.exists() and time.monotonic() < end and asking.is_alive():
            time.sleep(0.05)
        assert begun.exists(), [each.text for each in answers]
        signalled = time.monotonic()
        if to_all:
            os.killpg(service.process.pid, signal.SIGINT)
            assert service.process.wait(30) == 0
            service.process.stdout.close()
        else:
            assert service.stop() == 0
        assert time.monotonic() - signalled < 20
        asking.join(10)
    assert answers[0].status_code == 503
    assert answers[0].json()["detail"] == STOPPING
    said = (tmp_path / "serve.log").read_text()
    assert "Traceback" not in said
    assert said.count("\n") == 2, said  # that no worker is here, that the service has ended
