"""A small real language model on this machine, for demos and tests: llama.cpp's own server as a child process."""

from sojourn.runners.llama.process import INSTRUCTIONS, MODEL_NAME, LocalEndpoint, LocalModel
from sojourn.runners.llama.progress import LocalModelUnavailable, Progress, ProgressListener, Stage

__all__ = [
    "INSTRUCTIONS",
    "MODEL_NAME",
    "LocalEndpoint",
    "LocalModel",
    "LocalModelUnavailable",
    "Progress",
    "ProgressListener",
    "Stage",
]
