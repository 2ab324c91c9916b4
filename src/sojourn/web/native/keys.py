"""Handlers of keys, and their values on the wire."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from sojourn.domain import record
from sojourn.domain.ids import AgentId, KeyId
from sojourn.domain.worker import WorkerLimits
from sojourn.web.kit.idempotency import replayed
from sojourn.web.kit.response import Response, json_response
from sojourn.web.native import queries, wire, worker_wire
from sojourn.web.native.route import Call

Role = Literal["admin", "member", "reporter", "worker"]
SecretNames = Annotated[list[Annotated[str, Meta(max_length=100)]], Meta(max_length=100)]


class Limits(msgspec.Struct, forbid_unknown_fields=True):
    """Whose turns a worker with this key may claim, and which sessions it may say that it drives.

    An empty list is no limit. `pools` is about `external` agents: with pools and no `runners` a key is for those only.
    """

    runners: Annotated[list[wire.RunnerKind], Meta(max_length=4)] = []
    pools: Annotated[list[worker_wire.Pool], Meta(max_length=100)] = []
    agents: worker_wire.AgentIds = []


class NewKey(msgspec.Struct, forbid_unknown_fields=True):
    """Only a key of the role `worker` has `limits`, and `secrets`: those stored ones that leave the server with it."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    role: Role
    limits: Limits = msgspec.field(default_factory=Limits)
    secrets: SecretNames = []


class Key(msgspec.Struct):
    id: UUID
    name: str
    role: Role
    limits: Limits
    secrets: list[str]
    created_at: wire.Instant
    revoked_at: wire.Instant | None


class MadeKey(Key):
    """`token` is the secret itself. It is shown this once; a repeated request gets null."""

    token: str | None


class Keys(msgspec.Struct):
    data: list[Key]


async def create(call: Call[queries.NoQuery, NewKey]) -> Response:
    body, access = call.body, call.services.access
    limits = WorkerLimits(
        runners=tuple(body.limits.runners),
        pools=tuple(body.limits.pools),
        agents=tuple(AgentId(agent) for agent in body.limits.agents),
        secrets=tuple(body.secrets),
    )
    result, token = await access.make_key(call.org, body.name, body.role, limits, call.repeat)
    made = MadeKey(**msgspec.structs.asdict(_shown(result.value)), token=token)
    return json_response(made, 201, *replayed(result))


async def page(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    keys = await call.services.access.list_keys(call.org)
    return json_response(Keys([_shown(key) for key in keys]))


async def revoke(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    return json_response(_shown(await call.services.access.revoke_key(call.org, KeyId(call.id("key")))))


def _shown(key: record.Key) -> Key:
    limits = Limits(list(key.limits.runners), list(key.limits.pools), list(key.limits.agents))
    secrets = list(key.limits.secrets)
    return Key(key.id, key.name, key.role, limits, secrets, key.created_at, key.revoked_at)
