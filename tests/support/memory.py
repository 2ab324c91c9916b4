"""Where files are kept in memory, on a system that has such a place."""

import os
import shutil
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")
_ENOUGH_BYTES: Final = 4 << 30


def has_memory() -> bool:
    """Whether it is there, may be written and run programs from, and has room for what tests leave."""
    if not os.access(MEMORY, os.W_OK) or os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
        return False
    return shutil.disk_usage(MEMORY).free >= _ENOUGH_BYTES
