"""An exported session is taken whole or not at all: every harm to a file is found, and its line named."""

import hashlib
import json
from random import Random

import pytest

from sojourn.domain.canonical import canonical
from sojourn.domain.export import GENESIS, MAX_LINE_BYTES, ExportedBlob, ExportedEvent
from sojourn.domain.verifier import BrokenExport, Verifier
from tests.unit.domain.exported import CONTENTS, HARMS, exported, verified

ROUNDS = 1_500


def test_what_was_written_is_read_back_whole() -> None:
    taken, trailer = verified(exported())
    events = [line for line in taken if isinstance(line, ExportedEvent)]
    assert [event.seq for event in events] == list(range(1, 13))
    assert json.loads(events[0].data) == {"n": 1, "text": "event 1 \u20ac", "half": 0.5}
    assert json.loads(events[4].data)["large"] == 2**64 + 5
    assert {line.data for line in taken if isinstance(line, ExportedBlob)} == set(CONTENTS)
    assert (trailer.events, trailer.blobs, trailer.head) == (12, 2, events[-1].hash)


def test_the_chain_is_what_anybody_computes_who_knows_its_rule() -> None:
    prev = GENESIS
    for fields in map(json.loads, exported()):
        if fields["kind"] == "event":
            digest = fields.pop("hash")
            assert fields["prev"] == prev
            prev = hashlib.sha256(canonical(fields)).hexdigest()
            assert digest == prev


def test_a_log_that_begins_later_and_files_that_are_left_out_are_sound_too() -> None:
    assert verified(exported(first_seq=7))[1].events == 12
    assert verified(exported(has_files=False))[1].blobs == 0


def test_every_harm_to_a_file_is_found() -> None:
    random, found = Random(8), dict.fromkeys(HARMS, 0)
    for _ in range(ROUNDS):
        lines = exported(random.randint(1, 8))
        before, harm = list(lines), random.choice(HARMS)
        harm(random, lines)
        if b"".join(lines) == b"".join(before):
            # A repeated line cannot be told from its original, and the like.
            continue
        with pytest.raises(BrokenExport):
            verified(lines)
        found[harm] += 1
    assert min(found.values()) > ROUNDS / len(HARMS) / 3, found


@pytest.mark.parametrize("index", range(1, 8))
def test_the_line_that_is_named_is_the_one_that_was_changed(index: int) -> None:
    lines = exported()
    fields = json.loads(lines[index])
    if fields["kind"] == "event":
        fields["v"] += 1
    else:
        fields["data"] = "AAAA"
    lines[index] = canonical(fields) + b"\n"
    with pytest.raises(BrokenExport) as refused:
        verified(lines)
    assert refused.value.line == index + 1


def test_a_file_that_was_written_anew_from_end_to_end_has_another_head() -> None:
    """The chain cannot tell who wrote it."""
    lines, forged = exported(), exported(first_seq=2)
    assert verified(forged)[1].head != verified(lines)[1].head


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 100_000 + b"\n",
        b'{"a":NaN}\n',
        b'{"a":1,"a":1}\n',
        b"\xff\n",
        b"9" * 5_000 + b"\n",
        b'"\\ud800"\n',
        b"\n",
    ],
)
def test_no_line_makes_the_verifier_fail_otherwise(line: bytes) -> None:
    with pytest.raises(BrokenExport):
        verified([line])
    with pytest.raises(BrokenExport):
        verified([exported()[0], line])


def test_a_line_of_any_length_is_not_read_for_ever() -> None:
    with pytest.raises(BrokenExport, match="longer"):
        Verifier().take(b" " * (MAX_LINE_BYTES + 1))
