"""The program of an agent: found, and started with the environment that it may have."""

import os
import shutil
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

from sojourn.domain.ids import OrgId
from sojourn.domain.runner_config.acp import AcpConfig
from sojourn.domain.runner_config.cli_agents import CLI_AGENTS, CliAgent
from sojourn.domain.secret_reference import SecretReference
from sojourn.ports.vault import SecretSource
from sojourn.runners.program import COMMON_VARIABLES, Program, start_guarded
from sojourn.runners.revealing import SecretUnusable, revealed

# Of this server's own variables none is a program's business, whoever asks for it.
OWN_PREFIX: Final = "SOJOURN_"
REFERENCE: Final = "env:"


class CannotStart(Exception):
    """Why the agent's program does not run; the first argument says what was wrong and how to mend it."""


async def start_program(
    config: AcpConfig, directory: Path, environment: Mapping[str, str], secrets: Mapping[str, str]
) -> Program:
    """Start it in `directory`, which is there, with what of the server's `environment` it may have, and `secrets`.

    CannotStart if it is not installed.
    """
    variables = {**variables_of(config, environment), **secrets}
    command = _find(config, variables)
    return await start_guarded(command, directory, variables, hidden=tuple(secrets.values()))


async def secrets_of(config: AcpConfig, secrets: SecretSource, org: OrgId) -> dict[str, str]:
    """The variables of `env` that refer to secrets. CannotStart if one of them is not to be had."""
    found: dict[str, str] = {}
    for name, value in config.env.items():
        if not isinstance(value, SecretReference):
            continue
        try:
            found[name] = await revealed(secrets, org, value)
        except SecretUnusable as error:
            raise CannotStart(f"The agent's variable {name} cannot be set: {error}") from None
        if "\0" in found[name]:
            raise CannotStart(
                f"The agent's variable {name} cannot be set: {value} holds what no variable can."
            )
    return found


def variables_of(config: AcpConfig, environment: Mapping[str, str]) -> dict[str, str]:
    """The program's environment without secrets: what every program has, what a ready-made one reads, and `env`."""
    known = _known(config)
    names = COMMON_VARIABLES if known is None else (*COMMON_VARIABLES, *known.passes)
    variables = {name: environment[name] for name in names if name in environment}
    for name, value in config.env.items():
        if not isinstance(value, SecretReference):
            variables[name] = _dereferenced(name, value, environment)
    return variables


def logins_of(config: AcpConfig, variables: Collection[str]) -> Sequence[str]:
    """The protocol's methods with which the program can log in by the keys that are among its `variables`."""
    known = _known(config)
    return () if known is None else [method for name, method in known.logins.items() if name in variables]


def find_program(agent: CliAgent, environment: Mapping[str, str]) -> str | None:
    """Where a ready-made agent's program is, None if it is not installed."""
    return shutil.which(agent.command[0], path=environment.get("PATH", os.defpath))


def _dereferenced(name: str, value: str, environment: Mapping[str, str]) -> str:
    if not value.startswith(REFERENCE):
        return value
    referred = value.removeprefix(REFERENCE)
    if referred.startswith(OWN_PREFIX) or referred not in environment:
        raise CannotStart(
            f"The agent's variable {name} is to be {referred} of the server's environment, and it is not there:"
            f" set it where the server is started."
        )
    return environment[referred]


def _find(config: AcpConfig, variables: Mapping[str, str]) -> tuple[str, ...]:
    known = _known(config)
    command = config.command if known is None else known.command
    found = shutil.which(command[0], path=variables.get("PATH", os.defpath))
    if found is None and known is not None:
        raise CannotStart(
            f"{known.title} is not installed here: {command[0]} is not on the server's PATH."
            f" Install it: {known.install}"
        )
    if found is None:
        raise CannotStart(f"The agent's program {command[0]} is not on the server's PATH, or is no program.")
    return (found, *command[1:])


def _known(config: AcpConfig) -> CliAgent | None:
    return None if config.agent is None else CLI_AGENTS[config.agent]
