"""What keeps a store from being opened, and how to mend it."""

import shlex
from collections.abc import Generator
from contextlib import contextmanager

from sojourn.cli.screen import Trouble
from sojourn.config import Settings
from sojourn.domain.errors import StoreUnavailable
from sojourn.store.migrate import MigrationMismatch
from sojourn.store.secrets import SecretUnavailable
from sojourn.store.sqlite_file import FileDamaged, FileOwned


@contextmanager
def store_troubles(settings: Settings) -> Generator[None]:
    data_dir = shlex.quote(str(settings.data_dir))
    try:
        yield
    except FileOwned as error:
        raise Trouble(
            str(error), f"sojourn chat --data-dir {data_dir}   (or give this one another --data-dir)"
        ) from error
    except FileDamaged as error:
        raise Trouble(str(error), "a copy from a backup, or another --data-dir") from error
    except (MigrationMismatch, SecretUnavailable) as error:
        raise Trouble(str(error)) from error
    except StoreUnavailable as error:
        raise Trouble("The database cannot be reached.", "check --database-url") from error
    except ModuleNotFoundError as error:
        if error.name != "asyncpg":
            raise
        raise Trouble("Postgres needs an extra package.", "pip install 'sojourn[postgres]'") from error
    except (PermissionError, FileExistsError, NotADirectoryError) as error:
        raise Trouble(f"{error.filename} cannot be used: {error.strerror}.", "another --data-dir") from error
