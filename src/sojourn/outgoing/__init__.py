"""Requests that are made for users: webhooks, agents behind HTTP, fetched pages."""

from sojourn.outgoing.addresses import Place, is_public, place_of
from sojourn.outgoing.client import (
    AddressRefused,
    Answer,
    AnswerBroken,
    NotSent,
    Outgoing,
    Unanswered,
)

__all__ = [
    "AddressRefused",
    "Answer",
    "AnswerBroken",
    "NotSent",
    "Outgoing",
    "Place",
    "Unanswered",
    "is_public",
    "place_of",
]
