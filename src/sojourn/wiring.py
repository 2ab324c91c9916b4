"""The composition root: settings in, a running process's services out."""

import asyncio
import gc
import os
import signal
import socket
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from sojourn.config import Settings
from sojourn.domain.capability import CapabilityKind
from sojourn.domain.ids import DEFAULT_ORG, OrgId
from sojourn.domain.kinds import RunnerKind
from sojourn.outgoing import Outgoing
from sojourn.ports import Clock, Store
from sojourn.ports.models import ModelSource
from sojourn.ports.probes import BusyProbe
from sojourn.ports.turns import Runner
from sojourn.ports.vault import SecretSource
from sojourn.ports.wakeups import Wakeups
from sojourn.runners.acp.runner import AcpRunner
from sojourn.runners.http.probe import HttpProbe
from sojourn.runners.http.runner import HttpRunner
from sojourn.runners.llama import LocalModel
from sojourn.runners.model.bound import BoundModelClient
from sojourn.runners.model.catalogue import catalogue_of
from sojourn.runners.model.client import ClientFor, ModelClient
from sojourn.runners.model.fetch import fetch_tools
from sojourn.runners.model.loop import ModelRunner
from sojourn.runners.model.mcp.opener import McpOverHttp, McpOverStdio
from sojourn.runners.model.memory import MemoryOpener
from sojourn.runners.model.openers import Opener
from sojourn.runners.model.providers import CompatibleEndpoint, DirectModelClient, configured_providers
from sojourn.runners.model.shell import Shell, open_shell
from sojourn.runners.model.sim import PROVIDER as SIMULATED
from sojourn.runners.model.sim import SimulatedModel
from sojourn.runners.model.todo import TODO_TOOLS
from sojourn.runners.model.tools import BUILT_IN, Tool
from sojourn.runners.remains import keep_swept
from sojourn.service.claims import LEASE_TTL_SECONDS, LeaseTerms
from sojourn.service.core import Choices, Services, build_services
from sojourn.service.hub import Hub
from sojourn.service.relay import Relay
from sojourn.service.vault import EnvironmentSecrets, Vault
from sojourn.store.clock import DatabaseClock
from sojourn.store.secrets import SealedSecrets, SealingKey
from sojourn.telemetry import write_counters
from sojourn.worker.loop import Worker, WorkerSettings

if TYPE_CHECKING:
    from sojourn.client import Client

DATABASE_FILE = "sojourn.db"
# How long a worker outside waits for its server before it gives up what it was doing: longer than a restart takes.
AWAY_SECONDS: Final = 60.0


class SteadyClock:
    """The wall's time at the start plus the time since: nobody sets it, so ages are true, and deadlines too.

    Linux stops its monotonic clock while the machine sleeps, and a deadline does not wait for that; elsewhere the
    clock of that name goes on.
    """

    _SINCE: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

    def __init__(self) -> None:
        self._start = datetime.now(UTC)
        self._started = time.clock_gettime(self._SINCE)

    def now(self) -> datetime:
        return self._start + timedelta(seconds=time.clock_gettime(self._SINCE) - self._started)


@dataclass(frozen=True, slots=True)
class Running:
    """A process's services. `new_key` is the token of the key that this very start made, to be shown once.

    `shell` is what agents' commands run in, None where the settings allow none.
    """

    services: Services
    new_key: str | None
    shell: Shell | None = None


class Models:
    """Finds the client of a model by its name. Nothing is imported or started before a turn needs it."""

    def __init__(self, settings: Settings) -> None:
        self._simulated = SimulatedModel()
        self._local = LocalModel(settings.data_dir / "models")
        self._direct = DirectModelClient(
            Outgoing(settings.private_agents),
            local=self._local,
            compatible=CompatibleEndpoint.from_environment(os.environ),
        )

    def clients(self, source: ModelSource) -> ClientFor:
        """`source` knows what the organisations' own names stand for."""

        def client_for(org: OrgId, model: str) -> ModelClient:
            if model.startswith(f"{SIMULATED}/"):
                return self._simulated
            return BoundModelClient(source, org, self._simulated, self._direct)

        return client_for

    async def close(self) -> None:
        await self._direct.aclose()
        await self._local.stop()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a process is put together from, beside its settings.

    `kinds` are those of toolsets that say themselves what they are. `wakeups` and `lease_ttl_seconds` are for a shared
    store. `runners` are those beside `model`, and `probes` ask what they run; for the end of both whoever made them
    looks.
    """

    store: Store
    hub: Hub
    clock: Clock
    clients: Callable[[ModelSource], ClientFor]
    toolsets: Mapping[str, Sequence[Tool]] = field(default_factory=lambda: BUILT_IN)
    runners: Mapping[RunnerKind, Runner] = field(default_factory=dict[RunnerKind, Runner])
    probes: Mapping[RunnerKind, BusyProbe] = field(default_factory=dict[RunnerKind, BusyProbe])
    openers: Sequence[Opener] = ()
    kinds: Sequence[CapabilityKind] = ()
    wakeups: Wakeups | None = None
    lease_ttl_seconds: float = LEASE_TTL_SECONDS


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncGenerator[Running]:
    """A process with the parts that its settings name."""
    clock = DatabaseClock(SteadyClock())
    hub = Hub()
    store = await open_store(settings, clock, hub)
    models = Models(settings)
    apps, pages = Outgoing(settings.private_agents), Outgoing(settings.private_fetch)
    vault = Vault(
        store, SealedSecrets(store, clock, SealingKey(settings.secret_key, settings.data_dir)), os.environ
    )
    programs = _programs(settings, vault)
    try:
        await clock.tune(store)
        shell = await open_shell(settings, os.environ)
        parts = Parts(
            store=store,
            hub=hub,
            clock=clock,
            clients=models.clients,
            toolsets=_toolsets(pages, shell),
            kinds=(shell.kind,),
            runners={"acp": programs, "http": HttpRunner(apps, vault)},
            probes={"http": HttpProbe(apps, vault)},
            openers=_openers(settings, vault),
            wakeups=open_wakeups(settings),
        )
        keeping = [keep_swept(settings.data_dir / "programs", store.reads, clock)]
        if settings.database_url is not None:
            keeping.append(clock.keep(store))
        async with _background(*keeping), assemble(settings, parts) as running:
            yield replace(running, shell=shell) if settings.allow_shell else running
    finally:
        await programs.close()
        await apps.close()
        await pages.close()
        await models.close()
        await store.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """A server to work for over HTTP, and what of its turns to take. `pool` is that of `external` agents."""

    url: str
    key: str
    name: str
    runners: Sequence[RunnerKind]
    pool: str
    capacity: int


@asynccontextmanager
async def open_outside_worker(settings: Settings, elsewhere: Elsewhere) -> AsyncGenerator[None]:
    """A worker without a database. Raises what the client raises where the server does not take its key."""
    from sojourn.client import Client
    from sojourn.worker.over_http import HttpTurns

    async with (
        Client(elsewhere.url, elsewhere.key, give_up_after_seconds=AWAY_SECONDS) as client,
        _open_runners(settings, client) as known,
    ):
        runners: dict[RunnerKind, Runner] = {kind: known[kind] for kind in elsewhere.runners}
        me = await client.me()
        turns = HttpTurns(client, OrgId(me.org), elsewhere.name, elsewhere.pool)
        await turns.ready(elsewhere.runners[0], 1)
        worker = Worker(
            turns,
            runners,
            WorkerSettings(
                name=elsewhere.name, capacity=elsewhere.capacity, renew_seconds=LEASE_TTL_SECONDS / 3
            ),
        )
        _spare_collector()
        async with _background(turns.show(), turns.listen(worker, runners), worker.run()):
            yield


@asynccontextmanager
async def _open_runners(settings: Settings, client: "Client") -> AsyncGenerator[Mapping[RunnerKind, Runner]]:
    """The runners of a worker without a database, whose server knows the stored models and has the secrets."""
    from sojourn.worker.borrowing import ServerModels, ServerSecrets

    models = Models(settings)
    apps, pages = Outgoing(settings.private_agents), Outgoing(settings.private_fetch)
    secrets = ServerSecrets(client, EnvironmentSecrets(os.environ))
    programs = _programs(settings, secrets)
    try:
        yield {
            "model": ModelRunner(
                models.clients(ServerModels(client, secrets)),
                _toolsets(pages, await open_shell(settings, os.environ)),
                _openers(settings, secrets),
            ),
            "acp": programs,
            "http": HttpRunner(apps, secrets),
        }
    finally:
        await programs.close()
        await apps.close()
        await pages.close()
        await models.close()


@asynccontextmanager
async def assemble(settings: Settings, parts: Parts) -> AsyncGenerator[Running]:
    """Make what every process needs of its store, start upkeep and the embedded worker; undo that at the end."""
    store, hub, clock = parts.store, parts.hub, parts.clock
    boot = str(uuid4())
    is_shared = settings.database_url is not None
    terms = LeaseTerms(parts.lease_ttl_seconds, None) if is_shared else LeaseTerms(None, boot)
    secrets = SealedSecrets(store, clock, SealingKey(settings.secret_key, settings.data_dir))
    services = build_services(
        store,
        secrets,
        hub,
        clock,
        terms,
        Choices(
            default_model=settings.default_model,
            is_shared=is_shared,
            catalogue=catalogue_of(
                parts.toolsets, [*(opener.kind for opener in parts.openers), *parts.kinds]
            ),
            private_webhooks=settings.private_webhooks,
            outside_ttl_seconds=parts.lease_ttl_seconds,
            allow_commands=settings.allow_commands,
            private_agents=settings.private_agents,
            providers=configured_providers(os.environ),
            max_streams=settings.max_streams,
        ),
    )
    new_key = await _bootstrap(settings, services, store)
    await _give_workspace_secret(settings, secrets)
    for runner, probe in parts.probes.items():
        services.upkeep.keepalive.register(runner, probe)
    await services.upkeep.start()
    runners: dict[RunnerKind, Runner] = {
        "model": ModelRunner(parts.clients(services.models), parts.toolsets, parts.openers),
        **parts.runners,
    }
    worker = Worker(services.turns, runners, _worker_settings(settings, boot, terms))
    if settings.worker_capacity:
        hub.connect_worker(worker.hear, worker.stop_turn, worker.hear_of_others, worker.doubt)
    if settings.counters_file is not None:
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, write_counters, settings.counters_file)
    _spare_collector()
    try:
        background = [services.upkeep.run(), services.errands.run(), services.webhooks.run()]
        if settings.worker_capacity:
            background.append(worker.run())
        async with _background(*_relaying(services, parts.wakeups), *background):
            yield Running(services, new_key)
    finally:
        hub.close()


def _programs(settings: Settings, secrets: SecretSource) -> AcpRunner:
    directory = settings.data_dir / "programs"
    return AcpRunner(directory, os.environ, secrets, allow_commands=settings.allow_commands)


def _openers(settings: Settings, secrets: SecretSource) -> Sequence[Opener]:
    programs = settings.data_dir / "mcp"
    return (
        MemoryOpener(),
        McpOverHttp(Outgoing(settings.private_mcp), secrets),
        McpOverStdio(programs, os.environ, secrets, allow_commands=settings.allow_commands),
    )


def _toolsets(pages: Outgoing, shell: Shell) -> Mapping[str, Sequence[Tool]]:
    return {**BUILT_IN, "todo": TODO_TOOLS, "fetch": fetch_tools(pages), "shell": shell.tools}


async def open_store(settings: Settings, clock: Clock, hub: Hub) -> Store:
    """The store that the settings name, at its newest schema. Whoever opens it closes it."""
    if settings.database_url is not None:
        from sojourn.store.postgres import PostgresStore

        return await PostgresStore.open(settings.database_url, clock, hub.publish)
    from sojourn.store.sqlite import SqliteStore

    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return SqliteStore(settings.data_dir / DATABASE_FILE, clock, hub.publish)


def open_wakeups(settings: Settings) -> Wakeups | None:
    """How the processes of a shared store wake each other. None for a store with one owner."""
    if settings.database_url is None:
        return None
    from sojourn.store.postgres_wakeups import PostgresWakeups

    return PostgresWakeups(settings.database_url)


def _relaying(services: Services, wakeups: Wakeups | None) -> Sequence[Coroutine[Any, Any, None]]:
    if wakeups is None:
        return ()
    relay = Relay(services.hub, services.feed)
    services.hub.connect_processes(wakeups)
    return (relay.run(), wakeups.run(relay))


async def _bootstrap(settings: Settings, services: Services, store: Store) -> str | None:
    """The default organisation, its default agent, and a key to begin with."""
    await services.access.ensure_org(DEFAULT_ORG, "default")
    await services.agents.ensure_default(DEFAULT_ORG)
    if settings.bootstrap_key is not None:
        await services.access.ensure_key(DEFAULT_ORG, "bootstrap", "admin", settings.bootstrap_key)
        return None
    if await store.reads.has_keys(DEFAULT_ORG):
        return None
    return await services.access.issue_key(DEFAULT_ORG, "first", "admin")


async def _give_workspace_secret(settings: Settings, secrets: SealedSecrets) -> None:
    """After the organisation is there: a secret's row refers to it."""
    workspace = settings.bootstrap_workspace_key
    if not workspace:
        return
    await secrets.give(DEFAULT_ORG, "membrane/default-workspace", workspace)
    if settings.bootstrap_workspace_secret:
        await secrets.give(
            DEFAULT_ORG, f"membrane/workspace/{workspace}", settings.bootstrap_workspace_secret
        )
    if settings.bootstrap_workspace_public_key:
        name = f"membrane/public-key/{workspace}"
        await secrets.give(DEFAULT_ORG, name, settings.bootstrap_workspace_public_key)


def _spare_collector() -> None:
    """What the start made lives as long as the process, and requests make no cycles: look for garbage less often."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _worker_settings(settings: Settings, boot: str, terms: LeaseTerms) -> WorkerSettings:
    renew = None if terms.ttl_seconds is None else terms.ttl_seconds / 3
    return WorkerSettings(
        name=f"{socket.gethostname()}/{os.getpid()}/{boot[:8]}",
        capacity=settings.worker_capacity,
        renew_seconds=renew,
        stop_seconds=settings.stop_seconds,
    )


@asynccontextmanager
async def _background(*work: Coroutine[Any, Any, None]) -> AsyncGenerator[None]:
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield
    finally:
        for task in reversed(tasks):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
