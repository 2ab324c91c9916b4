"""What was said in sessions: whole, or at a glance for many of them at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sojourn.domain.errors import NotFound
from sojourn.domain.events import InputReceived, MessageCompleted
from sojourn.domain.ids import MessageId, OrgId, SessionId
from sojourn.domain.record import SessionRecord
from sojourn.domain.transcript import TYPES, Answered, Said, Transcript
from sojourn.ports import Reads
from sojourn.service.codec import decode, fill
from sojourn.service.hub import Hub
from sojourn.service.paging import read_page
from sojourn.service.verbs import PAGE

# Glimpses of at most so many sessions are kept, and of at most so many characters.
KEPT_GLIMPSES: Final = 2_000
KEPT_LENGTH: Final = 8_000


@dataclass(frozen=True, slots=True)
class Glimpse:
    """The first message that a session was sent, its agent's last answer, and why its last turn failed, if it did."""

    prompt: str | None = None
    answer: str | None = None
    error: str | None = None


class Transcripts:
    def __init__(self, reads: Reads, hub: Hub) -> None:
        self._reads = reads
        self._hub = hub
        self._kept: dict[tuple[OrgId, SessionId], tuple[int, Glimpse]] = {}

    async def read(self, org: OrgId, session: SessionId) -> Transcript:
        # The log of a deleted session outlives it until it is purged.
        if session not in await self._reads.head_seqs(org, [session]):
            raise NotFound("session", session)
        transcript = Transcript()
        after = 0
        while page := await read_page(self._reads, org, session, after, PAGE, TYPES):
            transcript.extend([(event.at, entry) for event, entry in page])
            after = page[-1][0].seq
            if len(page) < PAGE:
                break
        return transcript

    def being_written(self, org: OrgId, session: SessionId) -> tuple[MessageId, str] | None:
        """The message that is being written for the session, and its text so far."""
        return self._hub.partial(org, session)

    async def glimpses(self, org: OrgId, records: Sequence[SessionRecord]) -> Mapping[SessionId, Glimpse]:
        """Of each of the sessions. While nothing is appended to a log, a glimpse of it stays the same."""
        heads = {record.session.id: record.session.next_seq for record in records}
        found: dict[SessionId, Glimpse] = {}
        for session, head in heads.items():
            kept = self._kept.get((org, session))
            if kept is not None and kept[0] == head:
                found[session] = kept[1]
        unknown = [session for session in heads if session not in found]
        for session, input, answer, error, is_rewound in await self._reads.glimpses(org, unknown):
            if is_rewound:
                glimpse = _last_of(await self.read(org, session))
            else:
                glimpse = Glimpse(await self._prompt(org, input), await self._text(org, answer), error)
            found[session] = glimpse
            # It may be of a later event than the record, which is no worse than reading both a moment later.
            self._keep(org, session, heads[session], glimpse)
        return found

    def _keep(self, org: OrgId, session: SessionId, head: int, glimpse: Glimpse) -> None:
        if sum(len(text or "") for text in (glimpse.prompt, glimpse.answer, glimpse.error)) > KEPT_LENGTH:
            self._kept.pop((org, session), None)
            return
        if len(self._kept) >= KEPT_GLIMPSES:
            self._kept.clear()
        self._kept[org, session] = (head, glimpse)

    async def _prompt(self, org: OrgId, input: str | None) -> str | None:
        if input is None:
            return None
        received = decode(InputReceived.type, 1, await fill(self._reads, org, input))
        match received:
            case InputReceived(kind="message", content=(first, *_)):
                return first.text
            case _:
                return None

    async def _text(self, org: OrgId, answer: str | None) -> str | None:
        if answer is None:
            return None
        completed = decode(MessageCompleted.type, 1, await fill(self._reads, org, answer))
        return completed.text if isinstance(completed, MessageCompleted) else None


def _last_of(transcript: Transcript) -> Glimpse:
    """The glimpse of a conversation of which something was taken back: the log's last words need not be its own."""
    said = [one for one in transcript.entries if isinstance(one, Said)] + list(transcript.waiting.values())
    answers = [one for one in transcript.entries if isinstance(one, Answered)]
    texts = [one.text for one in answers if one.completed_at is not None and one.error is None]
    return Glimpse(
        prompt=said[0].content[0].text if said and said[0].content else None,
        answer=texts[-1] if texts else None,
        error=answers[-1].error if answers else None,
    )
