"""The store's verbs for webhooks and their deliveries, which `Reads` and `Tx` have with the others."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from sojourn.domain.ids import OrgId
from sojourn.domain.webhook import Delivery, Webhook


class WebhookReads(Protocol):
    async def get_webhook(self, org: OrgId, type: str) -> Webhook | None: ...
    async def list_webhooks(self, org: OrgId) -> Sequence[Webhook]: ...
    async def orgs_to_tell(self, now: datetime) -> Sequence[OrgId]:
        """The organisations with a delivery that is due; a hint, the claim itself decides."""
        ...


class WebhookWrites(Protocol):
    async def write_webhook(self, org: OrgId, webhook: Webhook) -> None: ...
    async def delete_webhook(self, org: OrgId, type: str) -> bool:
        """False if there is none."""
        ...

    async def insert_delivery(self, delivery: Delivery, due_at: datetime) -> None: ...
    async def claim_deliveries(
        self, org: OrgId, now: datetime, until: datetime, limit: int
    ) -> Sequence[Delivery]:
        """Take what is due; nobody else does before `until`, and somebody does then unless it was settled."""
        ...

    async def settle_delivery(self, delivery: Delivery) -> None:
        """It is over, one way or the other."""
        ...

    async def postpone_delivery(self, delivery: Delivery, due_at: datetime) -> None:
        """Try again then. Nothing if somebody else has claimed it since."""
        ...
