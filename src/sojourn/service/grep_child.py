"""Run by `grep.py` as a script, with the standard library alone: an order comes in as JSON, an answer goes out."""

import json
import re
import resource
import sys
from typing import Any


def main() -> None:
    order = json.load(sys.stdin.buffer)
    bounds = order["bounds"]
    seconds = int(bounds["seconds"]) + 1
    # If the server dies first, nobody else would end this process.
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (bounds["bytes"], bounds["bytes"]))
    json.dump(answer(order), sys.stdout)


def answer(order: dict[str, Any]) -> dict[str, Any]:
    try:
        pattern = re.compile(order["pattern"])
    except (re.error, RecursionError, OverflowError) as error:
        return {"refused": str(error)[:200]}
    bounds = order["bounds"]
    matches: list[dict[str, Any]] = []
    for path, text in order["texts"]:
        for number, line in enumerate(text.splitlines(), 1):
            if pattern.search(line) is None:
                continue
            if len(matches) == bounds["matches"]:
                return {"matches": matches, "truncated": True}
            matches.append({"path": path, "line": number, "text": line[: bounds["line"]]})
    return {"matches": matches}


if __name__ == "__main__":
    main()
