"""What all objects of the native API have in common: members that a newer server adds are ignored."""

import msgspec


class Wire(msgspec.Struct, frozen=True, kw_only=True):
    pass
