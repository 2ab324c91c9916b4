"""Webhooks: kept by organisation and type, and told of each end of a session until they have taken it.

What there is to tell is written with the end itself, so nothing is lost with a process; and it is deleted when its
webhook has answered, so a process that is lost in between tells it again, under the same id.
"""

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, Protocol

import msgspec

from sojourn import __version__
from sojourn.domain.errors import InvalidRequest, NotFound, StoreUnavailable
from sojourn.domain.ids import OrgId
from sojourn.domain.record import SessionRecord
from sojourn.domain.webhook import Delivery, Webhook
from sojourn.outgoing import Outgoing, Unanswered
from sojourn.ports import Clock, Secrets, Store, Tx
from sojourn.service.transcripts import Glimpse, Transcripts

log = logging.getLogger(__name__)

TICK_SECONDS: Final = 2.0
TIMEOUT_SECONDS: Final = 30.0
AT_ONCE: Final = 20
# Longer than a delivery may take, so that no other process begins one that still goes on.
CLAIM: Final = timedelta(seconds=TIMEOUT_SECONDS * 2)
FIRST_WAIT: Final = timedelta(seconds=5)
LONGEST_WAIT: Final = timedelta(hours=1)
# After some nine hours nobody is there.
MOST_ATTEMPTS: Final = 18

_encode = msgspec.json.Encoder().encode


class Renderer(Protocol):
    """A surface's way to say that a session has ended. `dialect` names the facet that it looks at."""

    @property
    def dialect(self) -> str: ...
    async def render(self, record: SessionRecord, glimpse: Glimpse) -> object:
        """What is sent, as JSON."""
        ...


@dataclass(frozen=True, slots=True)
class _Letter:
    url: str
    body: bytes
    secret: str | None


class Webhooks:
    def __init__(
        self, store: Store, clock: Clock, secrets: Secrets, transcripts: Transcripts, outgoing: Outgoing
    ) -> None:
        self._store = store
        self._clock = clock
        self._secrets = secrets
        self._transcripts = transcripts
        self._outgoing = outgoing
        self._renderers: dict[str, Renderer] = {}

    def register(self, type: str, renderer: Renderer) -> None:
        """Let webhooks of a type be made and told."""
        self._renderers[type] = renderer

    async def put(self, org: OrgId, type: str, url: str, secret: str | None) -> Webhook:
        """Make the organisation's webhook of a type, or replace it. InvalidRequest for a URL that must not be asked."""
        if type not in self._renderers:
            raise InvalidRequest("type", f"must be one of {', '.join(sorted(self._renderers))}")
        await self._outgoing.check("url", url)
        webhook = Webhook(type=type, url=url, is_signed=secret is not None, updated_at=self._clock.now())
        if secret is not None:
            await self._secrets.put(org, secret_name(type), secret)

        async def verb(tx: Tx) -> None:
            await tx.write_webhook(org, webhook)
            if secret is None:
                await tx.delete_secret(org, secret_name(type))

        await self._store.write(verb)
        return webhook

    async def get(self, org: OrgId, type: str) -> Webhook:
        found = await self._store.reads.get_webhook(org, type)
        if found is None:
            raise NotFound("webhook", type)
        return found

    async def list(self, org: OrgId) -> Sequence[Webhook]:
        return await self._store.reads.list_webhooks(org)

    async def delete(self, org: OrgId, type: str) -> None:
        """What is still on its way to it is dropped when it is due."""

        async def verb(tx: Tx) -> None:
            if not await tx.delete_webhook(org, type):
                raise NotFound("webhook", type)
            await tx.delete_secret(org, secret_name(type))

        await self._store.write(verb)

    async def run(self) -> None:
        """Tell until cancelled. A round that fails is logged and the next one tries again."""
        try:
            while True:
                await asyncio.sleep(TICK_SECONDS)
                if not self._renderers:
                    continue
                try:
                    while await self.tell():
                        pass
                except StoreUnavailable:
                    log.warning("the store is not available for webhooks; the next round tries again")
                except Exception:
                    log.exception("telling webhooks failed; the next round tries again")
        finally:
            await self._outgoing.close()

    async def tell(self) -> int:
        """Tell what is due; how much that was."""
        told = 0
        for org in await self._store.reads.orgs_to_tell(self._clock.now()):
            now = self._clock.now()
            claimed = await self._store.write(
                lambda tx, org=org, now=now: tx.claim_deliveries(org, now, now + CLAIM, AT_ONCE)
            )
            done = await asyncio.gather(
                *(self._tell(delivery) for delivery in claimed), return_exceptions=True
            )
            for failure in done:
                # Its claim lapses, and it is tried again then; the others are not held up.
                if failure is not None:
                    log.error("telling a webhook failed", exc_info=failure)
            told += len(claimed)
        return told

    async def _tell(self, delivery: Delivery) -> None:
        letter = await self._write_letter(delivery)
        if letter is not None and not await self._is_taken(delivery, letter):
            if delivery.attempts < MOST_ATTEMPTS:
                due_at = self._clock.now() + wait_after(delivery.attempts)
                await self._store.write(lambda tx: tx.postpone_delivery(delivery, due_at))
                return
            log.error("webhook %s of %s was never taken: given up", delivery.type, delivery.org)
        await self._store.write(lambda tx: tx.settle_delivery(delivery))

    async def _write_letter(self, delivery: Delivery) -> _Letter | None:
        """None if there is nobody left to tell, or nothing to tell of."""
        org, renderer = delivery.org, self._renderers.get(delivery.type)
        webhook = await self._store.reads.get_webhook(org, delivery.type)
        if renderer is None or webhook is None:
            return None
        record = await self._store.reads.get_session(org, delivery.session, renderer.dialect)
        if record is None:
            return None
        glimpses = await self._transcripts.glimpses(org, [record])
        then = replace(record, session=delivery.ended.of(record.session))
        body = _encode(await renderer.render(then, glimpses.get(delivery.session, Glimpse())))
        secret = await self._secrets.get(org, secret_name(delivery.type)) if webhook.is_signed else None
        return _Letter(webhook.url, body, secret)

    async def _is_taken(self, delivery: Delivery, letter: _Letter) -> bool:
        headers = {
            "content-type": "application/json",
            "user-agent": f"sojourn/{__version__}",
            # The same at every attempt, so that whoever takes it twice can tell.
            "x-delivery-id": str(delivery.id),
        }
        if letter.secret is not None:
            headers["x-signature"] = signature(letter.secret, letter.body)
        try:
            async with (
                asyncio.timeout(TIMEOUT_SECONDS),
                self._outgoing.ask("POST", letter.url, headers, letter.body) as answer,
            ):
                status = answer.status
        except (Unanswered, TimeoutError) as error:
            log.warning("webhook %s of %s was not reached: %s", delivery.type, delivery.org, error)
            return False
        if not 200 <= status < 300:
            log.warning("webhook %s of %s answered %d", delivery.type, delivery.org, status)
            return False
        return True


def signature(secret: str, body: bytes) -> str:
    """Lower-case hexadecimal HMAC-SHA256 of the body as it is sent."""
    return hmac.new(secret.encode("utf-8", "surrogatepass"), body, hashlib.sha256).hexdigest()


def wait_after(attempts: int) -> timedelta:
    """Twice as long after each attempt, up to an hour."""
    return min(FIRST_WAIT * 2 ** min(attempts - 1, 20), LONGEST_WAIT)


def secret_name(type: str) -> str:
    return f"webhook/{type}"
