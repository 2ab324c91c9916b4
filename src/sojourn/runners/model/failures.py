"""The one place where what a provider's client raises becomes a failure of ours. Imports pydantic-ai."""

from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus

from pydantic_ai import exceptions as theirs

from sojourn.runners.model.client import ContextFull, FatalModelError, ModelCallFailed, TransientModelError

# What a provider's library trips over when a body is JSON but not of the shape that its protocol promises.
_MISSHAPEN = (AttributeError, IndexError, KeyError, TypeError, ValueError)

_PASSING = (
    theirs.ModelRateLimitError,
    theirs.ModelUnavailableError,
    theirs.ModelServerError,
    theirs.ModelConnectionError,
    theirs.ModelRequestTimeout,
)
_LASTING = (theirs.ModelQuotaExceededError, theirs.ModelRequestRejectedError)
_PASSING_STATUS = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY})

LLAMA_CONTEXT_FULL = "exceed_context_size_error"

# An exhausted provider may answer with a page of HTML, and the start of it is enough to see that.
_MAX_MESSAGE = 1_000


@contextmanager
def provider_failures() -> Generator[None, None, None]:
    """Raise TransientModelError or FatalModelError for whatever goes wrong between a provider and its client."""
    try:
        yield
    except theirs.ModelAPIError as error:
        raise failure(error) from error
    except theirs.UnexpectedModelBehavior as error:
        # An answer of no use, such as an empty one: the next may be better, and the number of tries is limited.
        raise TransientModelError(_short(error)) from error
    except theirs.UserError as error:
        raise FatalModelError(_short(error)) from error
    except _MISSHAPEN as error:
        raise TransientModelError(f"The provider's answer could not be read: {_short(error)}") from error


@contextmanager
def configuration_failures() -> Generator[None, None, None]:
    """Raise FatalModelError for a provider that is unknown, not installed or without credentials."""
    try:
        yield
    except (theirs.UserError, ImportError, ValueError) as error:
        raise FatalModelError(_short(error)) from error


def failure(error: theirs.ModelAPIError) -> ModelCallFailed:
    """A provider's refusal, by its category; the provider's own word on retrying, if it sent one, goes first."""
    if _is_context_full(error):
        return ContextFull(_short(error))
    hint = error.provider_retry_hint if isinstance(error, theirs.ModelHTTPError) else None
    passing = _is_passing(error) if hint is None else hint
    if passing:
        return TransientModelError(_short(error), error.retry_after)
    return FatalModelError(_short(error))


def _is_context_full(error: theirs.ModelAPIError) -> bool:
    if isinstance(error, theirs.ModelContextWindowExceededError):
        return True
    # llama.cpp's own word for it, which pydantic-ai does not know.
    return isinstance(error, theirs.ModelHTTPError) and LLAMA_CONTEXT_FULL in str(error.body)


def _is_passing(error: theirs.ModelAPIError) -> bool:
    if isinstance(error, _PASSING):
        return True
    if isinstance(error, _LASTING):
        return False
    if isinstance(error, theirs.ModelHTTPError):
        return error.status_code in _PASSING_STATUS
    # No status and no category: a stream that broke its own protocol, or a body that is not what it claims to be.
    return True


def _short(error: Exception) -> str:
    return str(error)[:_MAX_MESSAGE]
