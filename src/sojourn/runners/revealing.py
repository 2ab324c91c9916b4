"""Secrets in the headers of requests, in the moment in which they are made."""

from collections.abc import Mapping

from sojourn.domain.errors import NotFound, SecretWithheld
from sojourn.domain.headers import HeaderValue
from sojourn.domain.ids import OrgId
from sojourn.domain.secret_reference import SecretReference
from sojourn.ports.vault import SecretSource


class SecretUnusable(Exception):
    """A secret that is not there, or that no request can carry; the first argument says which."""


async def revealed_headers(
    secrets: SecretSource, org: OrgId, headers: Mapping[str, HeaderValue]
) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in headers.items():
        if isinstance(value, str):
            found[name] = value
            continue
        secret = await revealed(secrets, org, value.reference)
        if not secret.isascii() or not secret.isprintable():
            raise SecretUnusable(f"{value.reference} holds what no header can.")
        found[name] = value.prefix + secret
    return found


async def revealed(secrets: SecretSource, org: OrgId, reference: SecretReference) -> str:
    try:
        return await secrets.reveal(org, reference)
    except SecretWithheld as error:
        raise SecretUnusable(str(error)) from None
    except NotFound:
        if reference.source == "env":
            raise SecretUnusable(f"The server's environment has no {reference.name}.") from None
        raise SecretUnusable(f"There is no secret {reference}.") from None
