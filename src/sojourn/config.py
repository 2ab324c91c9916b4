"""Settings: flags before environment before file, each under one name."""

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

PREFIX: Final = "SOJOURN_"
FILE_NAME: Final = "sojourn.toml"


class BadSetting(Exception):
    """A setting that cannot be used; the first argument says which, why and where it came from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`data_dir` holds the SQLite file, the key file and downloads. `database_url` names a Postgres instead.

    `secret_key` seals secrets; without it a key file is made in the data directory. `bootstrap_key` is taken as an
    admin key of the default organisation, `bootstrap_workspace_*` as a Membrane workspace's key and what its JWTs are
    signed with: a secret, or a private key whose public one is given as a PEM.
    `counters_file` gets the process's counters as JSON at each SIGUSR1.
    """

    host: str = "127.0.0.1"
    port: int = 3013
    data_dir: Path = Path("sojourn-data")
    database_url: str | None = None
    default_model: str = "sim/echo"
    secret_key: str | None = None
    bootstrap_key: str | None = None
    bootstrap_workspace_key: str | None = None
    bootstrap_workspace_secret: str | None = None
    bootstrap_workspace_public_key: str | None = None
    worker_capacity: int = 100
    stop_seconds: int = 5
    private_webhooks: bool = False
    private_agents: bool = False
    private_fetch: bool = False
    private_mcp: bool = False
    allow_commands: bool = False
    allow_shell: bool = False
    max_streams: int = 20_000
    max_body_bytes: int = 8 * 1024 * 1024
    counters_file: Path | None = None


# The least and the most of each whole number.
_RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "port": (0, 65535),
    "worker_capacity": (0, 10_000),
    "stop_seconds": (1, 3600),
    "max_streams": (1, 2**31),
    "max_body_bytes": (1, 2**31),
}

SECRET_NAMES: Final = ("secret_key", "bootstrap_key", "bootstrap_workspace_secret")


def load_settings(
    flags: Mapping[str, object], environment: Mapping[str, str] | None = None, directory: Path | None = None
) -> Settings:
    """The settings of a start. `flags` holds those given on the command line, None for the others.

    The file `sojourn.toml` is looked for in `directory` (default: where the process runs). Raises BadSetting.
    """
    environment = os.environ if environment is None else environment
    given = _file_values((directory or Path.cwd()) / FILE_NAME)
    names = {field.name for field in fields(Settings)}
    unknown = given.keys() - names
    if unknown:
        raise BadSetting(f"{FILE_NAME} has an unknown setting {min(unknown)!r}.")
    for name in names:
        from_environment = environment.get(f"{PREFIX}{name.upper()}")
        if from_environment:
            given[name] = from_environment
    given |= {name: value for name, value in flags.items() if value is not None}
    settings = Settings(**{name: _typed(name, value) for name, value in given.items()})
    for name in ("bootstrap_workspace_secret", "bootstrap_workspace_public_key"):
        if getattr(settings, name) and not settings.bootstrap_workspace_key:
            raise BadSetting(f"The setting {name} needs bootstrap_workspace_key beside it.")
    return settings


def _file_values(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"{path} is no TOML: {error}") from error


def _typed(name: str, value: object) -> Any:
    match name:
        case _ if name in _RANGES:
            return _integer(name, value, *_RANGES[name])
        case _ if name.startswith(("private_", "allow_")):
            return _boolean(name, value)
        case "data_dir" | "counters_file":
            return Path(str(value)).expanduser()
        case _:
            return str(value)


def _boolean(name: str, value: object) -> bool:
    text = str(value).lower()
    if text not in ("true", "false"):
        raise BadSetting(f"The setting {name} is true or false, not {value!r}.")
    return text == "true"


def _integer(name: str, value: object, low: int, high: int) -> int:
    try:
        number = int(str(value))
    except ValueError:
        raise BadSetting(f"The setting {name} is a whole number, not {value!r}.") from None
    if not low <= number <= high:
        raise BadSetting(f"The setting {name} is between {low} and {high}, not {number}.")
    return number
