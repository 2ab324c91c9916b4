"""The routes of webhooks."""

from typing import Final

from sojourn.domain.errors import NotFound
from sojourn.web.native import queries, webhooks, wire
from sojourn.web.native.route import AnyRoute, Media, Route

WEBHOOKS: Final[tuple[AnyRoute, ...]] = (
    Route(
        method="GET",
        path="/webhooks",
        operation="list_webhooks",
        summary="List who is told when a session has ended",
        scope="webhooks:read",
        handler=webhooks.page,
        query=queries.NoQuery,
        body=wire.Nothing,
        answers={200: webhooks.Webhooks},
    ),
    Route(
        method="GET",
        path="/webhooks/{type}",
        operation="get_webhook",
        summary="Read a webhook",
        scope="webhooks:read",
        handler=webhooks.get,
        query=queries.NoQuery,
        body=wire.Nothing,
        answers={200: webhooks.Webhook},
        errors=(NotFound,),
    ),
    Route(
        method="PUT",
        path="/webhooks/{type}",
        operation="put_webhook",
        summary="Make a webhook, or replace it",
        scope="webhooks:write",
        handler=webhooks.put,
        query=queries.NoQuery,
        body=webhooks.NewWebhook,
        answers={200: webhooks.Webhook},
    ),
    Route(
        method="DELETE",
        path="/webhooks/{type}",
        operation="delete_webhook",
        summary="Tell nobody any more",
        scope="webhooks:write",
        handler=webhooks.delete,
        query=queries.NoQuery,
        body=wire.Nothing,
        answers={204: Media.NONE},
        errors=(NotFound,),
    ),
)
