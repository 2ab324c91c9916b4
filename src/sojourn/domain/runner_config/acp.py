"""What an agent of the `acp` runner says of the program that it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, cast

from sojourn.domain.errors import InvalidRequest
from sojourn.domain.kinds import Json
from sojourn.domain.runner_config.cli_agents import CLI_AGENTS
from sojourn.domain.runner_config.fields import PLACE, mapping, refuse_others, seconds
from sojourn.domain.secret_reference import READABLE_PREFIX, SecretReference, read_reference

# Goes on with the program's own session or fails the turn; or, where that cannot be, tells a new one what was said.
Resume = Literal["strict", "replay"]

_FIELDS: Final = frozenset(
    {"agent", "command", "env", "cwd", "resume", "start_seconds", "idle_seconds", "held_seconds"}
)
# What is as good as a command of the client's own: a variable may name a program to load, a directory may hold one.
_COMMANDS: Final = ("command", "env", "cwd")
_REFERENCES: Final = ("secret://", f"env:{READABLE_PREFIX}")
_MOST_WORDS: Final = 100
_LONGEST_WORD: Final = 32_768


@dataclass(frozen=True, slots=True, kw_only=True)
class AcpConfig:
    """`agent` names a ready-made one, or `command` the words of one of the client's own.

    A value of `env` may refer to a secret, which is looked up when the program is started; any other that begins with
    `env:` is that variable of the server's environment. `cwd` None is a directory of the session's own. `start_seconds`
    is how long the program may take until it has a session, `idle_seconds` how long it is kept after a turn,
    `held_seconds` how long it waits for somebody to decide before it is ended meanwhile.
    """

    agent: str | None = None
    command: tuple[str, ...] = ()
    env: Mapping[str, str | SecretReference] = field(default_factory=dict[str, str | SecretReference])
    cwd: str | None = None
    resume: Resume = "replay"
    start_seconds: float = 60.0
    idle_seconds: float = 120.0
    held_seconds: float = 900.0

    @property
    def name(self) -> str:
        """What the log calls the program."""
        return self.agent or self.command[0].rpartition("/")[2]


def read_acp(config: Mapping[str, Json], *, allow_commands: bool) -> AcpConfig:
    """InvalidRequest for what is no such configuration, or needs `allow_commands` and does not have it."""
    refuse_others(config, _FIELDS)
    agent, command, env = config.get("agent"), _words(config), _environment(config)
    for name in _COMMANDS:
        if name in config and not allow_commands and not (name == "env" and _are_keys(agent, env)):
            raise _wrong(name, "is refused by this server: its setting allow_commands is off")
    if (agent is None) == (not command):
        raise _wrong("agent", "is needed, or a command, and not both")
    if agent is not None and agent not in CLI_AGENTS:
        raise _wrong("agent", f"must be one of {', '.join(CLI_AGENTS)}")
    resume = config.get("resume", "replay")
    if resume not in ("strict", "replay"):
        raise _wrong("resume", "must be strict or replay")
    return AcpConfig(
        agent=None if agent is None else str(agent),
        command=command,
        env=env,
        cwd=_directory(config),
        resume="strict" if resume == "strict" else "replay",
        start_seconds=seconds(config, "start_seconds", 60.0, 600.0),
        idle_seconds=seconds(config, "idle_seconds", 120.0, 3600.0),
        held_seconds=seconds(config, "held_seconds", 900.0, 86400.0),
    )


def _words(config: Mapping[str, Json]) -> tuple[str, ...]:
    given = config.get("command", [])
    if not isinstance(given, list) or len(given) > _MOST_WORDS:
        raise _wrong("command", f"must be a list of at most {_MOST_WORDS} texts")
    words = cast(list[Json], given)
    if "command" in config and not words:
        raise _wrong("command", "must name a program")
    return tuple(_text("command", word) for word in words)


def _environment(config: Mapping[str, Json]) -> dict[str, str | SecretReference]:
    variables = {name: _value(f"env.{name}", value) for name, value in mapping(config, "env").items()}
    if len(variables) > _MOST_WORDS:
        raise _wrong("env", f"must be an object of at most {_MOST_WORDS} texts")
    for name in variables:
        if not name or "=" in name or "\0" in name:
            raise _wrong("env", f"{name!r} is no name of a variable")
    return variables


def _value(name: str, given: Json) -> str | SecretReference:
    text = _text(name, given)
    return read_reference(f"{PLACE}.{name}", text) if text.startswith(_REFERENCES) else text


def _are_keys(agent: Json, env: Mapping[str, str | SecretReference]) -> bool:
    """Whether all that is given is a ready-made program's own keys: no such variable loads or leads anywhere."""
    known = CLI_AGENTS.get(agent) if isinstance(agent, str) else None
    return bool(env) and all(
        known is not None and name in known.needs and isinstance(value, SecretReference)
        for name, value in env.items()
    )


def _directory(config: Mapping[str, Json]) -> str | None:
    given = config.get("cwd")
    if given is None:
        return None
    directory = _text("cwd", given)
    if not directory.startswith("/"):
        raise _wrong("cwd", "must be an absolute path")
    return directory


def _text(name: str, given: Json) -> str:
    if not isinstance(given, str) or not given or len(given) > _LONGEST_WORD or "\0" in given:
        raise _wrong(name, f"must be a text of 1 to {_LONGEST_WORD} characters")
    return given


def _wrong(name: str, message: str) -> InvalidRequest:
    return InvalidRequest(f"{PLACE}.{name}", message)
