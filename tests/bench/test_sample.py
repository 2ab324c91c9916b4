from bench.goals import Goal, Verdict
from bench.sample import percentiles


def test_percentiles_are_latencies_that_were_measured() -> None:
    found = percentiles([each * 1_000_000 for each in range(1, 101)])
    assert (found.p50, found.p90, found.p99, found.max) == (51.0, 91.0, 100.0, 100.0)


def test_no_latencies_make_percentiles_of_zero() -> None:
    assert percentiles([]).max == 0.0


def test_a_verdict_tells_by_how_much_a_budget_was_missed() -> None:
    goal = Goal(what="create", unit="CPU-s/1k", limit=0.16)
    assert Verdict(goal=goal, measured=0.16).text == "met"
    assert Verdict(goal=goal, measured=0.24).text == "missed by 50%"


def test_a_rate_is_missed_from_below() -> None:
    goal = Goal(what="turns", unit="/s", limit=400, sense="at least")
    assert Verdict(goal=goal, measured=500).text == "met"
    assert Verdict(goal=goal, measured=300).text == "missed by 25%"
