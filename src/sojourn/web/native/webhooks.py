"""Handlers of webhooks, and their values on the wire."""

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from sojourn.domain import webhook
from sojourn.web.kit.response import NO_CONTENT, Response, json_response
from sojourn.web.native import queries, wire
from sojourn.web.native.route import Call


class NewWebhook(msgspec.Struct, forbid_unknown_fields=True):
    """`secret`, which is not shown again, signs what is sent.

    `X-Signature` is then the HMAC-SHA256 of the body in lower-case hexadecimal.
    """

    url: Annotated[str, Meta(min_length=1, max_length=2000)]
    secret: Annotated[str, Meta(min_length=1, max_length=1000)] | UnsetType = UNSET


class Webhook(msgspec.Struct):
    type: str
    url: str
    signed: bool
    updated_at: wire.Instant


class Webhooks(msgspec.Struct):
    data: list[Webhook]


async def put(call: Call[queries.NoQuery, NewWebhook]) -> Response:
    new = call.body
    secret = None if isinstance(new.secret, UnsetType) else new.secret
    return answer(await call.services.webhooks.put(call.org, _type(call), new.url, secret))


async def get(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    return answer(await call.services.webhooks.get(call.org, _type(call)))


async def page(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    found = await call.services.webhooks.list(call.org)
    return json_response(Webhooks([_shown(one) for one in found]))


async def delete(call: Call[queries.NoQuery, wire.Nothing]) -> Response:
    await call.services.webhooks.delete(call.org, _type(call))
    return NO_CONTENT


def _type(call: Call[queries.NoQuery, NewWebhook] | Call[queries.NoQuery, wire.Nothing]) -> str:
    return call.request.params["type"]


def answer(found: webhook.Webhook) -> Response:
    return json_response(_shown(found))


def _shown(found: webhook.Webhook) -> Webhook:
    return Webhook(found.type, found.url, found.is_signed, found.updated_at)
