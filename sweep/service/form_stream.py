"""Read a form with a file piece by piece: the file goes where it belongs, not into memory.

FastAPI's own form would be read, into a temporary file elsewhere, before the role is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from sweep.service.problems import RefusedError

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks
    from starlette.requests import Request

    from sweep.service.uploads import Receiver

LONGEST_FIELD = 10_000
"""Bytes of a field that is no file."""


BROKEN = "The form that arrived is not whole."


class _Form:
    """The parser's callbacks: what has come of the form's fields, and of the file."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self.filename, self.whole = "", False
        self.arrived: list[bytes] = []
        self._header = self._value = b""
        self._name, self._is_file, self._field = "", False, b""

    def callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self.on_part_begin,
            "on_part_data": self.on_part_data,
            "on_part_end": self.on_part_end,
            "on_header_field": self.on_header_field,
            "on_header_value": self.on_header_value,
            "on_header_end": self.on_header_end,
            "on_end": self.on_end,
        }

    def on_part_begin(self) -> None:
        self._name, self._is_file, self._field = "", False, b""

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def on_header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            _, options = parse_options_header(self._value)
            self._name = options.get(b"name", b"").decode("utf-8", "replace")
            if b"filename" in options:
                if self.filename:
                    raise RefusedError(422, "The form must bring one file.")
                self._is_file = True
                self.filename = options[b"filename"].decode("utf-8", "replace")
        self._header = self._value = b""

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self.arrived.append(data[start:end])
        elif len(self._field) + end - start > LONGEST_FIELD:
            raise RefusedError(422, "A field of the form is too long.")
        else:
            self._field += data[start:end]

    def on_end(self) -> None:
        self.whole = True

    def on_part_end(self) -> None:
        if not self._is_file:
            self.fields[self._name] = self._field.decode("utf-8", "replace")


async def receive_form(request: Request, receiver: Receiver) -> tuple[str, dict[str, str]]:
    """Receive a form with one file.

    Parameters
    ----------
    request : Request
        What a browser sends.
    receiver : Receiver
        Takes the file.

    Returns
    -------
    str
        The file's name in the browser; empty where none was chosen.
    dict of str to str
        The other fields.

    Raises
    ------
    RefusedError
        422, if it is no such form.
    """
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data" or not options.get(b"boundary"):
        raise RefusedError(422, "The form must be sent as multipart/form-data.")
    form = _Form()
    try:
        parser = MultipartParser(options[b"boundary"], form.callbacks())
        async for piece in request.stream():
            parser.write(piece)
            for each in form.arrived:
                await receiver.take(each)
            form.arrived.clear()
    except FormParserError as error:
        raise RefusedError(422, BROKEN) from error
    if not form.whole:
        raise RefusedError(422, BROKEN)
    return form.filename, form.fields
