"""What a local server leaves in its data directory for the commands of the same user: its key and its address."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sojourn.cli.screen import Trouble
from sojourn.config import BadSetting, Settings, load_settings


@dataclass(frozen=True, slots=True)
class Home:
    """One data directory. Its key may be read by whom may read its database, so it gives nothing away."""

    data_dir: Path
    default_url: str

    @property
    def key_path(self) -> Path:
        return self.data_dir / "cli-key"

    @property
    def url_path(self) -> Path:
        return self.data_dir / "cli-url"

    def read_key(self) -> str | None:
        return _read(self.key_path)

    def read_url(self) -> str | None:
        return _read(self.url_path)

    def write_key(self, key: str) -> None:
        """Keep the key of the first start, for its owner only."""
        _write(self.key_path, key)

    def write_url(self, url: str) -> None:
        _write(self.url_path, url)


def find(data_dir: Path | None) -> Home:
    """The data directory that a server started from here with the same settings would use. Trouble if they are bad."""
    settings = load({"data_dir": data_dir})
    return Home(settings.data_dir, f"http://{shown_host(settings.host)}:{settings.port}")


def load(flags: Mapping[str, object]) -> Settings:
    """The settings of this start or conversation; a bad one is Trouble."""
    try:
        return load_settings(flags)
    except BadSetting as error:
        raise Trouble(str(error)) from error


def shown_host(host: str) -> str:
    """A host to connect to: where a server listens on every address, this machine's own."""
    if host in {"0.0.0.0", "::", ""}:
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip() or None
    except FileNotFoundError:
        return None


def _write(path: Path, text: str) -> None:
    """Replace the file at once: a reader sees the old text or the new one, and never one that others may read."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(text + "\n")
    draft.replace(path)
