from datetime import timedelta

from sojourn.domain.ids import DEFAULT_ORG, SessionId, uuid7
from sojourn.domain.record import STALE_AFTER, Lease
from tests.support.clock import START


def test_a_presence_is_stale_after_half_an_hour_without_a_beat() -> None:
    lease = Lease(
        org=DEFAULT_ORG,
        session=SessionId(uuid7()),
        kind="presence",
        holder="laptop",
        ttl_seconds=None,
        last_seen_at=START,
    )
    assert timedelta(minutes=30) == STALE_AFTER
    assert not lease.is_stale(START + STALE_AFTER)
    assert lease.is_stale(START + STALE_AFTER + timedelta(seconds=1))
