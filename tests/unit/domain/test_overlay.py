from dataclasses import replace

from sojourn.domain.agent import AgentSpec, ClientTool
from sojourn.domain.overlay import NOTHING_ADDED, Overlay
from sojourn.domain.tool_policy import DetailedRule, ToolPolicy, ToolRule, expiry_for, rule_for


def tool(name: str, description: str = "") -> ClientTool:
    return ClientTool(name=name, description=description, parameters={"type": "object"})


AGENT = AgentSpec(
    name="clerk",
    instructions="Be kind.",
    model="sim/echo",
    tools=("files", "current_time"),
    client_tools=(tool("look", "the agent's"), tool("nod")),
)


def test_what_adds_nothing_leaves_the_agent_as_it_is() -> None:
    assert NOTHING_ADDED.over(AGENT) == AGENT


def test_instructions_follow_the_agents_behind_a_blank_line() -> None:
    assert Overlay(instructions="Be brief.").over(AGENT).instructions == "Be kind.\n\nBe brief."
    assert Overlay(instructions="Be brief.").over(AgentSpec(name="plain")).instructions == "Be brief."


def test_the_sessions_model_wins_over_the_agents() -> None:
    assert Overlay(model="sim/script").over(AGENT).model == "sim/script"
    assert Overlay(instructions="Be brief.").over(AgentSpec(name="plain")).model is None


def test_the_sessions_rules_stand_over_the_agents_of_the_same_names() -> None:
    agent = replace(
        AGENT, tool_policy={"look": "ask", "*": "deny"}, ask_timeout_seconds=60.0, on_ask_expire="allow"
    )
    merged = Overlay(tool_policy={"look": "allow", "nod": "ask"}).over(agent)
    assert merged.tool_policy == {"look": "allow", "nod": "ask", "*": "deny"}
    assert (merged.ask_timeout_seconds, merged.on_ask_expire) == (60.0, "allow")
    merged = Overlay(ask_timeout_seconds=5.0, on_ask_expire="keep").over(agent)
    assert (merged.ask_timeout_seconds, merged.on_ask_expire) == (5.0, "keep")


def test_a_tools_own_rule_comes_before_that_of_all_others() -> None:
    policy: dict[str, ToolRule] = {"look": "ask", "*": "deny"}
    assert rule_for(policy, "look") == ("look", "ask")
    assert rule_for(policy, "nod") == ("*", "deny")
    assert rule_for({"look": "deny"}, "nod") == ("*", "allow")


def test_tools_are_added_and_of_two_client_tools_of_one_name_the_sessions_stands() -> None:
    overlay = Overlay(tools=("files", "web"), client_tools=(tool("look", "the session's"), tool("wink")))
    merged = overlay.over(AGENT)
    assert merged.tools == ("files", "current_time", "web")
    assert [(one.name, one.description) for one in merged.client_tools] == [
        ("look", "the session's"),
        ("nod", ""),
        ("wink", ""),
    ]


def test_a_tools_rule_may_have_a_deadline_of_its_own() -> None:
    slow, kept = DetailedRule(rule="ask", timeout_seconds=5.0), DetailedRule(rule="ask", on_expire="keep")
    policy: ToolPolicy = {"slow": slow, "kept": kept, "*": DetailedRule(rule="deny", on_expire="allow")}
    assert rule_for(policy, "slow") == ("slow", "ask")
    assert rule_for(policy, "other") == ("*", "deny")
    assert expiry_for(policy, "slow", 60.0, "deny") == (5.0, "deny")
    assert expiry_for(policy, "kept", 60.0, "deny") == (None, "keep")
    assert expiry_for(policy, "other", 60.0, "deny") == (60.0, "allow")
    assert expiry_for({"plain": "ask"}, "plain", 60.0, "allow") == (60.0, "allow")
    assert expiry_for({}, "plain", None, "deny") == (None, "deny")
