"""The part of xllamacpp (a compiled module without types) that src/sojourn/runners/llama/__main__.py uses."""

class CommonParamsModel:
    path: str

class CpuParams:
    n_threads: int
    poll: int

class CommonParamsSampling:
    temp: float
    top_p: float
    penalty_repeat: float

class CommonParams:
    model: CommonParamsModel
    model_alias: set[str]
    hostnames: list[str]
    port: int
    api_keys: list[str]
    ui: bool
    endpoint_slots: bool
    verbosity: int
    n_parallel: int
    n_ctx: int
    n_predict: int
    cpuparams: CpuParams
    cpuparams_batch: CpuParams
    sampling: CommonParamsSampling

class Server:
    """Loads the model and listens; constructing it blocks until it can answer."""

    def __init__(self, params: CommonParams) -> None: ...
    @property
    def listening_address(self) -> str: ...
