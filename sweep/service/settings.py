"""How a server is set up: its command line, and a configuration file for what is rarely changed."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from sweep.errors import ServiceError

if TYPE_CHECKING:
    from pathlib import Path

Bytes = Annotated[int, Field(ge=1024)]


def _http_address(value: str) -> str:
    parts = urlsplit(value)
    if value and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError("must begin with http:// or https:// and name a host")
    return value


Address = Annotated[str, AfterValidator(_http_address)]


class Limits(BaseModel):
    """What one request, and one person, may take."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    body: Bytes = 1024 * 1024
    """Bytes of a request that is no upload."""
    upload: Bytes = 2 * 1024**3
    """Bytes of an uploaded dataset, packed."""
    unpacked: Bytes = 8 * 1024**3
    """Bytes of an uploaded dataset, unpacked."""
    files: Annotated[int, Field(ge=1)] = 200_000
    """Files of an uploaded zip of class folders."""
    requests: Annotated[int, Field(ge=1)] = 300
    """Requests a second of one token, in the mean over ten seconds."""
    refused: Annotated[int, Field(ge=1)] = 30
    """Requests a minute of one address that bring no valid token."""
    seconds: Annotated[float, Field(gt=0)] = 30.0
    """How long a request may take to arrive."""
    streams: Annotated[int, Field(ge=1)] = 500
    """Open event streams."""


class Notify(BaseModel):
    """Who is told that a study has finished, failed or was stopped."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: list[str] = []
    """A program and its words; it gets the JSON on standard input."""
    url: Address = ""
    """An HTTP address; it gets the JSON by POST."""
    on: list[Literal["finished", "failed", "stopped"]] = ["finished", "failed", "stopped"]
    """Which ends are told."""
    link: Address = ""
    """Where people reach this server, for the link to the study; default: where it listens."""
    seconds: Annotated[float, Field(gt=0, le=600)] = 10.0
    """How long the command, or one try of the address, may take."""

    @property
    def wanted(self) -> bool:
        """Whether anybody is to be told."""
        return bool(self.on and (self.command or self.url))


class Configuration(BaseModel):
    """The sections of a server's configuration file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    allow: list[str] = []
    """Modules that studies may load code from."""
    limits: Limits = Limits()
    notify: Notify = Notify()


@dataclass(frozen=True)
class Settings:
    """A server as it is started.

    Attributes
    ----------
    storage : str
        The ledger's address.
    host, port, public, root_path
        Where it listens, whether others reach it, and under which path a proxy shows it.
    names : tuple of str
        Further host names that requests may name.
    workers, at_once : int
        Worker processes of this machine; how many studies they share.
    data_home : str or None
        Folder with ``mnist.npz`` and the like.
    allow : tuple of str
        Modules that studies may load code from.
    configuration : Configuration
        The rest.
    """

    storage: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 8080
    public: bool = False
    root_path: str = ""
    names: tuple[str, ...] = ()
    workers: int = 1
    at_once: int = 2
    data_home: str | None = None
    allow: tuple[str, ...] = ()
    configuration: Configuration = field(default_factory=Configuration)

    @property
    def limits(self) -> Limits:
        """What requests may take."""
        return self.configuration.limits


def read_configuration(path: Path | None) -> Configuration:
    """Read a server's configuration file (TOML); without one everything is by default.

    Raises
    ------
    ServiceError
        With all problems of the file.
    """
    if path is None:
        return Configuration()
    try:
        plain: dict[str, Any] = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ServiceError(f"--config: {path} cannot be read as TOML: {error}") from error
    try:
        return Configuration.model_validate(plain)
    except ValidationError as error:
        lines = [
            f"{path}: {'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()
        ]
        raise ServiceError("\n".join(lines)) from None
