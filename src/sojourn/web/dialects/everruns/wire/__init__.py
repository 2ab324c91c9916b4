"""Everruns' JSON, a module for each resource, with its own spelling; instants in UTC with a Z.

Absent members are left out and never null: the client refuses a null where it knows a type.
"""

from sojourn.web.dialects.everruns.wire.problem import ErrorDetail, Problem
from sojourn.web.dialects.everruns.wire.session import Session, Status

__all__ = ["ErrorDetail", "Problem", "Session", "Status"]
