"""A dialect's own fields of a session as the text that is stored beside it. Pure."""

from typing import Generic, TypeVar

import msgspec

F = TypeVar("F", bound=msgspec.Struct)


class FacetText(Generic[F]):
    """`nothing` is what a session says that was made elsewhere: every field's default."""

    def __init__(self, facet: type[F]) -> None:
        self.nothing = facet()
        self._encode = msgspec.json.Encoder().encode
        self._decode = msgspec.json.Decoder(facet).decode

    def to_text(self, facet: F) -> str:
        return self._encode(facet).decode()

    def of_text(self, text: str | None) -> F:
        return self.nothing if text is None else self._decode(text)
