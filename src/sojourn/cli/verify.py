"""`sojourn verify`: whether an exported session is as it was written."""

import json
from typing import BinaryIO

import click

from sojourn.cli.screen import Trouble, console


@click.command("verify")
@click.argument("file", type=click.File("rb"))
@click.option("--head", help="The head that the log must have: one that was kept apart from the file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(file: BinaryIO, *, head: str | None, as_json: bool) -> None:
    """Check the exported session in FILE (- is the standard input), without a server.

    What was changed, dropped, inserted, swapped or cut off is found, with its line. A file that somebody wrote anew
    from end to end is not: compare its head with one that you kept.
    """
    from sojourn.domain.export import MAX_LINE_BYTES, ExportedEvent
    from sojourn.domain.verifier import BrokenExport, Verifier

    verifier, seq_of_head = Verifier(), None
    try:
        while line := file.readline(MAX_LINE_BYTES + 1):
            taken = verifier.take(line)
            if isinstance(taken, ExportedEvent) and taken.hash == head:
                seq_of_head = taken.seq
        trailer = verifier.end()
    except BrokenExport as error:
        raise Trouble(f"Line {error.line} {error.problem}.") from error
    header = verifier.header
    assert header is not None
    if head is not None and head != trailer.head:
        raise Trouble(_other_head(head, trailer.head, seq_of_head, header.last_seq))
    if as_json:
        click.echo(
            json.dumps(
                {
                    "session": header.session.get("id"),
                    "first_seq": header.first_seq,
                    "last_seq": header.last_seq,
                    "events": trailer.events,
                    "blobs": trailer.blobs,
                    "head": trailer.head,
                }
            )
        )
        return
    what = f"{trailer.events:,} events and the contents of {trailer.blobs:,} files"
    console().print(f"sound  {what}", markup=False)
    console().print(f"head   {trailer.head}", markup=False)


def _other_head(wanted: str, head: str, seq: int | None, last_seq: int) -> str:
    if seq is None:
        return f"The file is sound in itself, but it is not the one that is meant: its head is {head}."
    return (
        f"The head {wanted} is that of event {seq}: {last_seq - seq} events follow it, up to the head {head}."
    )
