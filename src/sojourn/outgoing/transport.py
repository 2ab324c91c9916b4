"""The way of a vendor's library to an address that an organisation has named. Imports httpx2."""

import httpx2

from sojourn.domain.errors import InvalidRequest
from sojourn.outgoing.addresses import place_of
from sojourn.outgoing.client import NotSent, Outgoing


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Looks at the address of each request, and asks that address and no other.

    For one base URL: its connections are kept, and would otherwise carry a request for one name to another.
    """

    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing
        self._inner = httpx2.AsyncHTTPTransport(retries=0, trust_env=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            place = place_of("url", str(request.url))
            addresses = await self._outgoing.addresses(place)
        except (InvalidRequest, NotSent) as error:
            raise httpx2.ConnectError(str(error), request=request) from error
        request.extensions = {**request.extensions, "sni_hostname": place.host}
        for address in addresses[:-1]:
            request.url = request.url.copy_with(host=address)
            try:
                return await self._inner.handle_async_request(request)
            except httpx2.ConnectError:
                continue
        request.url = request.url.copy_with(host=addresses[-1])
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()
