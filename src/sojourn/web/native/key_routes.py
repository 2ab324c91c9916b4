"""The routes of keys."""

from typing import Final

from sojourn.domain.errors import NotFound
from sojourn.web.native import keys, queries, wire
from sojourn.web.native.route import AnyRoute, Route

KEYS: Final[tuple[AnyRoute, ...]] = (
    Route(
        method="POST",
        path="/keys",
        operation="create_key",
        summary="Make a key",
        scope="keys:write",
        handler=keys.create,
        query=queries.NoQuery,
        body=keys.NewKey,
        answers={201: keys.MadeKey},
    ),
    Route(
        method="GET",
        path="/keys",
        operation="list_keys",
        summary="List keys in the order in which they were made, the revoked ones too",
        scope="keys:read",
        handler=keys.page,
        query=queries.NoQuery,
        body=wire.Nothing,
        answers={200: keys.Keys},
    ),
    Route(
        method="DELETE",
        path="/keys/{key}",
        operation="revoke_key",
        summary="Let nobody in with a key any more",
        scope="keys:write",
        handler=keys.revoke,
        query=queries.NoQuery,
        body=wire.Nothing,
        answers={200: keys.Key},
        errors=(NotFound,),
    ),
)
