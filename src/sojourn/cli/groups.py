"""Commands of commands."""

import click


class ListingGroup(click.Group):
    """`sojourn sessions --status open` is `sojourn sessions ls --status open`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in {"-h", "--help"}):
            args = ["ls", *args]
        return super().parse_args(ctx, args)
