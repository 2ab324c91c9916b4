"""Everruns' JSON, a module for each resource, with its own spelling; instants in UTC with a Z.

Absent members are left out and never null: the client refuses a null where it knows a type.
"""

from sojourn.web.dialects.everruns.wire.agent import (
    Agent,
    AgentChange,
    AgentFields,
    AgentList,
    Available,
    CapabilityConfig,
    InitialFile,
    NameQuery,
    NetworkAccess,
    NewAgent,
    ToolDefinition,
)
from sojourn.web.dialects.everruns.wire.catalogue import (
    Capability,
    CapabilityList,
    Harness,
    Model,
    ModelList,
    Search,
)
from sojourn.web.dialects.everruns.wire.channel import (
    AgentCard,
    CardLinks,
    ChannelEvents,
    ChannelPage,
    ChannelSession,
    ChannelSessions,
    ChannelStatus,
    NewChannelSession,
    Outcome,
)
from sojourn.web.dialects.everruns.wire.page import Items, Page
from sojourn.web.dialects.everruns.wire.problem import ErrorDetail, Problem
from sojourn.web.dialects.everruns.wire.session import Session, Status

__all__ = [
    "Agent",
    "AgentCard",
    "AgentChange",
    "AgentFields",
    "AgentList",
    "Available",
    "Capability",
    "CapabilityConfig",
    "CapabilityList",
    "CardLinks",
    "ChannelEvents",
    "ChannelPage",
    "ChannelSession",
    "ChannelSessions",
    "ChannelStatus",
    "ErrorDetail",
    "Harness",
    "InitialFile",
    "Items",
    "Model",
    "ModelList",
    "NameQuery",
    "NetworkAccess",
    "NewAgent",
    "NewChannelSession",
    "Outcome",
    "Page",
    "Problem",
    "Search",
    "Session",
    "Status",
    "ToolDefinition",
]
