"""The running programs of this process's sessions: started for a turn, kept a while for the next, never for long."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sojourn.domain.events import ProviderSessionLinked
from sojourn.domain.ids import OrgId, SessionId
from sojourn.domain.runner_config.acp import AcpConfig
from sojourn.domain.runner_config.cli_agents import CLI_AGENTS
from sojourn.ports.turns import ClaimedTurn, Journal
from sojourn.ports.vault import SecretSource
from sojourn.runners.acp.process import CannotStart, logins_of, secrets_of, start_program, variables_of
from sojourn.runners.acp.workspace import Workspace
from sojourn.runners.heavy import imported
from sojourn.runners.program import Program

if TYPE_CHECKING:
    from sojourn.runners.acp.connection import Abilities, Connection, ProviderSession

log = logging.getLogger(__name__)

KIND: Final = "acp"
# A program takes some hundred megabytes: so many are kept while their sessions rest, those used last.
MOST_IDLE: Final = 4
# How long a program may take to stop when it is asked to, before it is killed.
CANCEL_SECONDS: Final = 1.5

Place = tuple[OrgId, SessionId]


class LoadFailed(Exception):
    """The program does not live through loading its former session; the first argument says so."""


@dataclass(slots=True)
class Live:
    """A program that has its session. `link` is what the log is to be told of it, None once it was.

    `linked_seq` is the entry that says so: a later one means that another process has spoken to the session since.
    `cost_usd` is what the program's session had cost when it was last told, None while nobody knows.
    """

    program: Program
    connection: "Connection"
    session: "ProviderSession"
    workspace: Workspace
    config: AcpConfig
    model: str | None
    is_new: bool
    link: ProviderSessionLinked | None
    linked_seq: int = 0
    cost_usd: Decimal | None = None
    expiry: asyncio.TimerHandle | None = None

    async def stop_prompt(self) -> bool:
        """Have the program stop what it does; whether it did, in time."""
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(CANCEL_SECONDS):
                await self.connection.cancel(self.session.id)
                self.connection.mute()
                return self.program.is_running
        return False

    async def end(self, at_once: bool = False) -> None:
        """A program at rest is let end by itself; any other is ended `at_once`."""
        if self.expiry is not None:
            self.expiry.cancel()
        try:
            await self.connection.close()
        finally:
            await (self.program.kill() if at_once else self.program.end())


@dataclass(slots=True)
class Programs:
    """Kept by session. `directory` holds a directory for each, `environment` is what programs may be given of."""

    directory: Path
    environment: Mapping[str, str]
    secrets: SecretSource
    _kept: dict[Place, Live] = field(default_factory=dict[Place, Live])
    _ending: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    async def take(self, journal: Journal, config: AcpConfig) -> Live:
        """The session's program, kept or started. CannotStart if there is none to be had, within its time."""
        turn = journal.turn
        kept = self._kept.pop((turn.org, turn.session), None)
        if kept is not None:
            if kept.expiry is not None:
                kept.expiry.cancel()
            if _is_current(kept, journal, config):
                kept.is_new = False
                return kept
            await kept.end()
        return await self._start(journal, config)

    def keep(self, turn: ClaimedTurn, live: Live) -> None:
        """For the session's next turn, for as long as its agent says, and as there is room."""
        place = (turn.org, turn.session)
        self._kept[place] = live
        live.expiry = asyncio.get_running_loop().call_later(live.config.idle_seconds, self._drop, place, live)
        while len(self._kept) > MOST_IDLE:
            oldest = next(iter(self._kept))
            self._drop(oldest, self._kept[oldest])

    def _drop(self, place: Place, live: Live) -> None:
        if self._kept.get(place) is live:
            del self._kept[place]
            task = asyncio.create_task(live.end())
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)

    async def close(self) -> None:
        """End every program that is kept."""
        for place, live in list(self._kept.items()):
            self._drop(place, live)
        if self._ending:
            await asyncio.wait(self._ending)

    async def _start(self, journal: Journal, config: AcpConfig) -> Live:
        try:
            return await self._started(journal, config)
        except LoadFailed as failure:
            return await self._started(journal, config, str(failure))

    async def _started(self, journal: Journal, config: AcpConfig, given_up: str | None = None) -> Live:
        """`given_up` is why the program is not even asked to go on with its former session."""
        turn = journal.turn
        workspace = await asyncio.to_thread(self._workspace, turn, config)
        connections = await asyncio.to_thread(load_connections)
        secrets = await secrets_of(config, self.secrets, turn.org)
        program = await start_program(config, workspace.path, self.environment, secrets)
        connection = connections.Connection(program)
        is_ready = False
        try:
            async with asyncio.timeout(config.start_seconds):
                live = await self._greet(journal, config, workspace, program, connection, given_up)
            is_ready = True
        except TimeoutError:
            raise CannotStart(_unresponsive(config, program)) from None
        except CannotStart as error:
            raise CannotStart(program.without_secrets(str(error))) from None
        except (ConnectionError, connections.RequestError, ValueError) as error:
            complaint = program.without_secrets(await _complaint(config, program, error))
            raise CannotStart(complaint) from error
        finally:
            if not is_ready:
                await connection.close()
                await program.kill()
        return live

    async def _greet(
        self,
        journal: Journal,
        config: AcpConfig,
        workspace: Workspace,
        program: Program,
        connection: "Connection",
        given_up: str | None,
    ) -> Live:
        variables = {*config.env, *variables_of(config, self.environment)}
        abilities = await connection.initialize(logins_of(config, variables))
        session, reason = await self._session(journal, config, workspace, connection, abilities, given_up)
        former = journal.conversation.provider_session
        if reason is not None:
            reason = program.without_secrets(reason)
            log.info(
                "session %s is told to a new session of %s: %s", journal.turn.session, config.name, reason
            )
        is_new = former is None or former.provider_session != session.id
        model = journal.turn.agent.spec.model
        if model is not None:
            await _choose_model(connection, session, model, config)
        return Live(
            program=program,
            connection=connection,
            session=session,
            workspace=workspace,
            config=config,
            model=model,
            is_new=is_new,
            cost_usd=Decimal(0) if is_new else None,
            link=ProviderSessionLinked(
                kind=KIND,
                agent=config.name,
                provider_session=session.id,
                cwd=str(workspace.path),
                reason=reason,
            ),
        )

    async def _session(
        self,
        journal: Journal,
        config: AcpConfig,
        workspace: Workspace,
        connection: "Connection",
        abilities: "Abilities",
        given_up: str | None,
    ) -> "tuple[ProviderSession, str | None]":
        """The program's session, gone on with or new, and why it is a new one that has to be told the past."""
        cwd, former = str(workspace.path), journal.conversation.provider_session
        if former is None:
            has_past = journal.conversation.progress.since > 0
            return await connection.new_session(
                cwd
            ), "the agent has no session of this past" if has_past else None
        reason = given_up or _unfit(former, config, abilities)
        if reason is None:
            try:
                return await connection.continue_session(former.provider_session, cwd, abilities), None
            except load_connections().RequestError as error:
                reason = f"the agent could not go on with its session {former.provider_session}: {error}"
            except ConnectionError:
                raise LoadFailed(
                    f"the agent ended when it was to load its session {former.provider_session}"
                ) from None
        if config.resume == "strict":
            raise CannotStart(
                f"{config.name} cannot resume: {reason}. The agent's runner_config says resume: strict;"
                " with resume: replay a new session of it is told what was said so far."
            )
        return await connection.new_session(cwd), reason

    def _workspace(self, turn: ClaimedTurn, config: AcpConfig) -> Workspace:
        if config.cwd is not None:
            if not Path(config.cwd).is_dir():
                raise CannotStart(f"The agent's directory {config.cwd} is not there, or is none.")
            return Workspace(Path(config.cwd).resolve())
        directory = self.directory / str(turn.org) / str(turn.session)
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Workspace(directory.resolve())


async def _choose_model(
    connection: "Connection", session: "ProviderSession", model: str, config: AcpConfig
) -> None:
    if session.models is None:
        raise CannotStart(f"The agent names the model {model}, and {config.name} lets no model be chosen.")
    if model not in session.models[1]:
        known = ", ".join(list(session.models[1])[:20])
        raise CannotStart(f"{config.name} has no model {model}; it has {known}.")
    if model != session.model:
        await connection.choose_model(session, model)


def _is_current(kept: Live, journal: Journal, config: AcpConfig) -> bool:
    """Whether a kept program is what its agent asks for now, and knows of the session what the log does."""
    conversation = journal.conversation
    # A rewind has taken back what the program was told.
    is_true = conversation.provider_session is not None and kept.linked_seq == conversation.linked_seq
    is_as_asked = (kept.config, kept.model) == (config, journal.turn.agent.spec.model)
    return is_true and is_as_asked and kept.program.is_running


def _unfit(former: ProviderSessionLinked, config: AcpConfig, abilities: "Abilities") -> str | None:
    """Why the program cannot even be asked to go on with that session."""
    if (former.kind, former.agent) != (KIND, config.name):
        return f"its session so far is one of {former.agent}"
    if not (abilities.loads or abilities.resumes):
        return f"{config.name} does not offer to load a session"
    return None


def _unresponsive(config: AcpConfig, program: Program) -> str:
    said = f" It said: {program.complaint}" if program.complaint else ""
    return (
        f"{config.name} did not get ready within {config.start_seconds:g} s. Does its command speak the Agent Client"
        f" Protocol? Start it by hand to see; start_seconds in the agent's runner_config gives it longer.{said}"
    )


async def _complaint(config: AcpConfig, program: Program, error: Exception) -> str:
    known = None if config.agent is None else CLI_AGENTS[config.agent]
    if getattr(error, "code", None) == load_connections().AUTHENTICATION_NEEDED:
        how = "" if known is None else f" Log in where the server runs with `{known.login}`"
        keys = (
            ""
            if known is None or not known.needs
            else f", or set {' or '.join(known.needs)} where it is started"
        )
        return f"{config.name} wants to be logged in first.{how}{keys}."
    if isinstance(error, ConnectionError):
        await program.ended()
        said = program.complaint or "it said nothing"
        return f"{config.name} ended with status {program.process.returncode} before it was ready: {said}"
    return f"{config.name} refused to begin: {error}. {program.complaint}".strip()


@cache
def load_connections():
    """The wrapped library; CannotStart where it is not installed."""
    try:
        return imported(_import_connection)
    except ImportError as error:
        raise CannotStart(
            f"Driving an agent's program needs `pip install 'sojourn[acp]'` ({error})."
        ) from error


def _import_connection():
    from sojourn.runners.acp import connection

    return connection
