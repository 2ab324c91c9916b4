"""Webhooks and their deliveries: rows to values and back, and the verbs of both."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from sojourn.domain.ids import OrgId, SessionId
from sojourn.domain.webhook import Delivery, DeliveryId, Ended, Webhook
from sojourn.store.db import Db
from sojourn.store.rows import Row, to_instant, to_json, to_micros

KIND: Final = "webhook"


class _Payload(msgspec.Struct):
    type: str
    ended: Ended


_decode_payload = msgspec.json.Decoder(_Payload).decode


class WebhookReads:
    _db: Db

    async def get_webhook(self, org: OrgId, type: str) -> Webhook | None:
        row = await self._db.one("get_webhook", {"org": org, "type": type})
        return None if row is None else _webhook_of(row)

    async def list_webhooks(self, org: OrgId) -> Sequence[Webhook]:
        return [_webhook_of(row) for row in await self._db.all("list_webhooks", {"org": org})]

    async def orgs_to_tell(self, now: datetime) -> Sequence[OrgId]:
        found = await self._db.all("orgs_to_tell", {"kind": KIND, "now": to_micros(now)})
        return [OrgId(UUID(bytes=org)) for (org,) in found]


class WebhookWrites(WebhookReads):
    async def write_webhook(self, org: OrgId, webhook: Webhook) -> None:
        params = {
            "org": org,
            "type": webhook.type,
            "url": webhook.url,
            "is_signed": int(webhook.is_signed),
            "updated_at": to_micros(webhook.updated_at),
        }
        await self._db.run("write_webhook", params)

    async def delete_webhook(self, org: OrgId, type: str) -> bool:
        return await self._db.run("delete_webhook", {"org": org, "type": type}) > 0

    async def insert_delivery(self, delivery: Delivery, due_at: datetime) -> None:
        params = {
            "org": delivery.org,
            "id": delivery.id,
            "session": delivery.session,
            "kind": KIND,
            "payload": to_json(_Payload(delivery.type, delivery.ended)),
            "due_at": to_micros(due_at),
        }
        await self._db.run("insert_outbox", params)

    async def claim_deliveries(
        self, org: OrgId, now: datetime, until: datetime, limit: int
    ) -> Sequence[Delivery]:
        params = {
            "org": org,
            "kind": KIND,
            "now": to_micros(now),
            "until": to_micros(until),
            "limit": limit,
        }
        return [_delivery_of(org, row) for row in await self._db.all("claim_outbox", params)]

    async def settle_delivery(self, delivery: Delivery) -> None:
        await self._db.run("settle_outbox", {"org": delivery.org, "id": delivery.id})

    async def postpone_delivery(self, delivery: Delivery, due_at: datetime) -> None:
        params = {
            "org": delivery.org,
            "id": delivery.id,
            "attempts": delivery.attempts,
            "due_at": to_micros(due_at),
        }
        await self._db.run("postpone_outbox", params)


def _webhook_of(row: Row) -> Webhook:
    type, url, is_signed, updated_at = row
    return Webhook(type=type, url=url, is_signed=bool(is_signed), updated_at=to_instant(updated_at))


def _delivery_of(org: OrgId, row: Row) -> Delivery:
    id, session, payload, attempts = row
    told = _decode_payload(payload)
    return Delivery(
        org=org,
        id=DeliveryId(UUID(bytes=id)),
        session=SessionId(UUID(bytes=session)),
        type=told.type,
        ended=told.ended,
        attempts=attempts,
    )
