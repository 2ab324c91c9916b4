import pytest

from sojourn.domain.agent import AgentSpec
from sojourn.domain.capability import Capability, CapabilityKind, Catalogue
from sojourn.domain.errors import InvalidRequest, NotFound
from sojourn.domain.kinds import RunnerKind
from sojourn.domain.overlay import Overlay

SCHEMA = {
    "type": "object",
    "properties": {"url": {"type": "string"}},
    "required": ["url"],
    "additionalProperties": False,
}
CATALOGUE = Catalogue(
    [
        CapabilityKind(name="files", description="Files.", tools=["read_file"]),
        CapabilityKind(name="remote", description="Remote.", config_schema=SCHEMA, tools=None),
        CapabilityKind(name="shell", description="Shell.", missing="install bubblewrap"),
    ]
)
REMOTE = Capability(kind="remote", config={"url": "a"})


@pytest.mark.parametrize(
    ("tools", "capabilities", "place"),
    [
        (("files", "nothing"), {}, "overlay.tools.1"),
        (("remote",), {}, "overlay.tools.0"),
        (("shell",), {}, "overlay.tools.0"),
        ((), {"a": Capability(kind="nothing")}, "overlay.capabilities.a.kind"),
        ((), {"a": Capability(kind="shell")}, "overlay.capabilities.a.kind"),
        ((), {"a": Capability(kind="remote")}, "overlay.capabilities.a.config.url"),
        ((), {"a": Capability(kind="files", config={"b": 1})}, "overlay.capabilities.a.config.b"),
        ((), {"a b": REMOTE}, "overlay.capabilities"),
        ((), {"a__b": REMOTE}, "overlay.capabilities"),
        ((), {"a_": REMOTE}, "overlay.capabilities"),
        ((), {"a" * 32: REMOTE}, "overlay.capabilities"),
        ((), {f"a{number}": REMOTE for number in range(33)}, "overlay.capabilities"),
    ],
)
def test_what_the_catalogue_does_not_have_is_refused_with_its_place(
    tools: tuple[str, ...], capabilities: dict[str, Capability], place: str
) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        CATALOGUE.check("model", tools, capabilities, "overlay.")
    assert refusal.value.field == place


def test_what_the_catalogue_has_is_taken_and_so_is_one_that_takes_another_away() -> None:
    CATALOGUE.check("model", ("files",), {"a": REMOTE, "b_c": Capability(kind="files"), "d": None})


@pytest.mark.parametrize("runner", ["acp", "http", "external"])
def test_other_runners_know_their_own_tools_and_have_no_capabilities(runner: RunnerKind) -> None:
    CATALOGUE.check(runner, ("anything",), {})
    with pytest.raises(InvalidRequest):
        CATALOGUE.check(runner, (), {"a": REMOTE})


def test_what_cannot_be_used_here_says_what_to_do() -> None:
    with pytest.raises(InvalidRequest, match="install bubblewrap"):
        CATALOGUE.check("model", ("shell",), {})
    with pytest.raises(NotFound):
        CATALOGUE.get("nothing")


def test_a_sessions_capability_replaces_the_agents_of_its_name_and_none_takes_it_away() -> None:
    agent = AgentSpec(name="clerk", capabilities={"a": REMOTE, "b": REMOTE, "c": REMOTE})
    other = Capability(kind="files")
    merged = Overlay(capabilities={"b": other, "c": None, "d": other}).over(agent)
    assert merged.capabilities == {"a": REMOTE, "b": other, "d": other}
