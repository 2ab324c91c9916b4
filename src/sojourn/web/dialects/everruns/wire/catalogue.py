"""What agents are made of: harnesses, models and capabilities."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from sojourn.web.dialects.everruns.wire.agent import CapabilityConfig
from sojourn.web.dialects.everruns.wire.page import Linked


class Search(Struct):
    search: str = ""
    include_archived: Literal["true", "false"] = "false"


class CapabilityList(Struct):
    search: str = ""
    offset: Annotated[int, Meta(ge=0, le=2**63 - 1)] = 0
    limit: Annotated[int, Meta(ge=1, le=100)] = 20


class ModelList(Struct):
    source: Literal["manual", "discovered", "predefined"] | UnsetType = UNSET
    include_stale: Literal["true", "false"] = "true"
    favorites_only: Literal["true", "false"] = "false"


class Capability(Linked, kw_only=True):
    id: str
    name: str
    description: str
    category: str
    config_schema: dict[str, Any]
    features: list[str]
    dependencies: tuple[str, ...] = ()
    status: Literal["available"] = "available"
    risk_level: Literal["low"] = "low"
    is_mcp: bool = False
    is_skill: bool = False
    is_guardrail: bool = False


class Harness(Linked, kw_only=True):
    id: str
    name: str
    display_name: str
    description: str
    created_at: str
    updated_at: str
    capabilities: tuple[CapabilityConfig, ...] = ()
    tags: tuple[str, ...] = ()
    status: Literal["active"] = "active"
    is_built_in: bool = True


class Model(Linked, kw_only=True):
    """`model_id` is the name by which a server is configured: `provider/name`."""

    id: str
    model_id: str
    display_name: str
    provider_id: str
    provider_name: str
    provider_type: str
    created_at: str
    updated_at: str
    model_vendor: Literal["openai", "anthropic", "google", "xai", "llmsim"] | UnsetType = UNSET
    source: Literal["predefined", "manual"] = "predefined"
    capabilities: tuple[str, ...] = ()
    enabled: bool = True
    healthy: bool = True
    is_favorite: bool = False
