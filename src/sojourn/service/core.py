"""The services of one process, together."""

import os
from collections.abc import Collection
from dataclasses import dataclass

from sojourn.domain.capability import Catalogue
from sojourn.outgoing import Outgoing
from sojourn.ports import Clock, Secrets, Store
from sojourn.service.access import Access
from sojourn.service.agents import Agents
from sojourn.service.asks import Asks
from sojourn.service.budgets import Budgets
from sojourn.service.children import Children
from sojourn.service.claims import LEASE_TTL_SECONDS, Claims, LeaseTerms
from sojourn.service.driven import Driven
from sojourn.service.errands import Errands
from sojourn.service.exports import Exports
from sojourn.service.feed import MAX_STREAMS, Feed
from sojourn.service.files import Files
from sojourn.service.forks import Forks
from sojourn.service.hub import Hub
from sojourn.service.imports import Imports
from sojourn.service.inputs import Inputs
from sojourn.service.invocations import Invocations
from sojourn.service.keepalive import KeepAlive
from sojourn.service.leases import Presences
from sojourn.service.lifetimes import Lifetimes
from sojourn.service.memories import Memories
from sojourn.service.models import Models
from sojourn.service.orgs import Orgs
from sojourn.service.outside.claiming import OutsideClaims
from sojourn.service.outside.lending import Lending
from sojourn.service.outside.reporting import OutsideTurns
from sojourn.service.outside.signals import OutsideSignals
from sojourn.service.rewinds import Rewinds
from sojourn.service.rosters import Rosters
from sojourn.service.sessions import Sessions
from sojourn.service.transcripts import Transcripts
from sojourn.service.tree_budgets import TreeBudgets
from sojourn.service.trees import Trees
from sojourn.service.turn_writes import TurnWrites
from sojourn.service.turns import TurnService
from sojourn.service.upkeep import Upkeep
from sojourn.service.vault import Vault
from sojourn.service.webhooks import Webhooks


@dataclass(frozen=True, slots=True)
class Services:
    access: Access
    orgs: Orgs
    agents: Agents
    sessions: Sessions
    lifetimes: Lifetimes
    inputs: Inputs
    invocations: Invocations
    asks: Asks
    files: Files
    memories: Memories
    forks: Forks
    exports: Exports
    imports: Imports
    rewinds: Rewinds
    turns: TurnService
    outside_claims: OutsideClaims
    outside_turns: OutsideTurns
    outside_signals: OutsideSignals
    lending: Lending
    budgets: Budgets
    presences: Presences
    driven: Driven
    rosters: Rosters
    feed: Feed
    transcripts: Transcripts
    upkeep: Upkeep
    webhooks: Webhooks
    models: Models
    vault: Vault
    children: Children
    trees: Trees
    errands: Errands
    secrets: Secrets
    hub: Hub
    clock: Clock
    # The model of turns whose agent names none.
    default_model: str
    # What agents may be given in this process.
    catalogue: Catalogue
    # Whose models an agent, or a session, may be given by a client that does not know this server.
    providers: Collection[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a process's settings choose for its services.

    `default_model` is that of turns whose agent names none. `is_shared` says that other processes write to the same
    store; `catalogue` holds what agents of the `model` runner may have; `private_webhooks` lets webhooks be at private
    addresses, `private_agents` the apps of agents and the providers that organisations store; `allow_commands` lets
    agents name programs of this machine. `providers` are those of models that this process has keys for, `max_streams`
    the streams of an organisation.
    """

    default_model: str
    is_shared: bool
    catalogue: Catalogue
    private_webhooks: bool = False
    # How long a worker outside holds a turn after each renewal.
    outside_ttl_seconds: float = LEASE_TTL_SECONDS
    allow_commands: bool = False
    private_agents: bool = False
    providers: Collection[str] = ()
    max_streams: int = MAX_STREAMS


def build_services(
    store: Store, secrets: Secrets, hub: Hub, clock: Clock, terms: LeaseTerms, choices: Choices
) -> Services:
    agents, orgs = Agents(store, clock, choices.catalogue, choices.allow_commands), Orgs(store)
    feed = Feed(store.reads, hub, choices.max_streams)
    rosters = Rosters(store.reads, agents, hub, choices.is_shared)
    sessions = Sessions(store, clock, agents, orgs, hub, choices.catalogue)
    inputs = Inputs(store, clock, hub)
    transcripts = Transcripts(store.reads, hub)
    children = Children(store, clock, agents, sessions, hub)
    claims = Claims(store, clock, agents, choices.default_model)
    memories = Memories(store, clock)
    turns = TurnService(store, clock, claims, hub, terms)
    outside_claims = OutsideClaims(store, clock, claims, hub, choices.outside_ttl_seconds)
    vault = Vault(store, secrets, os.environ)
    models = Models(store, vault, Outgoing(choices.private_agents))
    return Services(
        access=Access(store, clock),
        orgs=orgs,
        agents=agents,
        sessions=sessions,
        lifetimes=Lifetimes(store, clock),
        inputs=inputs,
        asks=Asks(store, clock, agents),
        invocations=Invocations(store, clock, sessions, inputs, feed),
        files=Files(store, clock),
        memories=memories,
        forks=Forks(store, clock, agents, choices.catalogue),
        rewinds=Rewinds(store, clock),
        imports=Imports(store, clock, agents, choices.catalogue),
        exports=Exports(store.reads, clock, agents),
        turns=turns,
        outside_claims=outside_claims,
        outside_turns=OutsideTurns(store, turns, TurnWrites(store, clock, claims, hub), memories, hub),
        outside_signals=OutsideSignals(store, outside_claims, hub),
        lending=Lending(models, vault),
        budgets=Budgets(store, clock),
        presences=Presences(store, clock, agents, rosters),
        driven=Driven(store, clock, hub),
        rosters=rosters,
        feed=feed,
        transcripts=transcripts,
        upkeep=Upkeep(
            store, clock, feed, hub, terms, KeepAlive(store, clock, agents), is_shared=choices.is_shared
        ),
        webhooks=Webhooks(store, clock, secrets, transcripts, Outgoing(choices.private_webhooks)),
        models=models,
        vault=vault,
        children=children,
        trees=Trees(store.reads),
        errands=Errands(store, clock, children, TreeBudgets(store, clock)),
        secrets=secrets,
        hub=hub,
        clock=clock,
        default_model=choices.default_model,
        catalogue=choices.catalogue,
        providers=choices.providers,
    )
