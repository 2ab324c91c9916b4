import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from sojourn.config import BadSetting, Settings, load_settings
from sojourn.domain.ids import DEFAULT_ORG, OrgId, uuid7
from sojourn.ports import Store, Tx
from sojourn.store.secrets import (
    KEY_FILE,
    BadKeyFile,
    SealBroken,
    SealedSecrets,
    SealedWithAnotherKey,
    SealingKey,
    read_key_file,
    seal,
    unseal,
)
from sojourn.wiring import DATABASE_FILE, open_services
from tests.support.clock import HandClock

CLOCK = HandClock()
KEY = bytes(range(32))


@pytest.fixture
async def org(store: Store) -> OrgId:
    return await new_org(store)


@pytest.fixture
def vault(store: Store, tmp_path: Path) -> SealedSecrets:
    return SealedSecrets(store, CLOCK, SealingKey("a key of the operator", tmp_path))


async def new_org(store: Store) -> OrgId:
    org = OrgId(uuid7())

    async def verb(tx: Tx) -> None:
        await tx.insert_org(org, "an organisation", CLOCK.now())

    await store.write(verb)
    return org


def files_under(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}


async def sealed_at(store: Store, org: OrgId, name: str) -> bytes:
    sealed = await store.reads.get_secret(org, name)
    assert sealed is not None
    return sealed


async def overwrite(store: Store, org: OrgId, name: str, sealed: bytes) -> None:
    async def verb(tx: Tx) -> None:
        await tx.write_secret(org, name, sealed, CLOCK.now())

    await store.write(verb)


async def test_a_secret_is_read_back_by_a_later_process_with_the_same_key(
    store: Store, vault: SealedSecrets, org: OrgId, tmp_path: Path
) -> None:
    assert await vault.get(org, "token") is None
    await vault.put(org, "token", "first")
    await vault.put(org, "token", "zwölf €\0")
    assert await vault.get(org, "token") == "zwölf €\0"
    later = SealedSecrets(store, CLOCK, SealingKey("a key of the operator", tmp_path / "elsewhere"))
    assert await later.get(org, "token") == "zwölf €\0"
    assert await later.remove(org, "token")
    assert await vault.get(org, "token") is None
    assert not await vault.remove(org, "token")


async def test_what_is_stored_shows_neither_the_secret_nor_that_two_are_alike(
    store: Store, vault: SealedSecrets, org: OrgId
) -> None:
    await vault.put(org, "token", "the same words")
    first = await sealed_at(store, org, "token")
    await vault.put(org, "token", "the same words")
    second = await sealed_at(store, org, "token")
    assert b"the same words" not in first
    # The head says which key it was; what follows is new each time.
    assert first[:9] == second[:9]
    assert first[9:21] != second[9:21]
    assert first[37:] != second[37:]


async def test_another_key_does_not_open_a_secret_and_the_error_says_so(
    store: Store, vault: SealedSecrets, org: OrgId, tmp_path: Path
) -> None:
    await vault.put(org, "token", "value")
    stranger = SealedSecrets(store, CLOCK, SealingKey("another key", tmp_path))
    with pytest.raises(
        SealedWithAnotherKey, match=r"'token' was sealed with another key.*SOJOURN_SECRET_KEY"
    ):
        await stranger.get(org, "token")


async def test_a_sealed_value_does_not_open_in_another_row(
    store: Store, vault: SealedSecrets, org: OrgId
) -> None:
    other = await new_org(store)
    await vault.put(org, "token", "value")
    sealed = await sealed_at(store, org, "token")
    await overwrite(store, org, "other-token", sealed)
    await overwrite(store, other, "token", sealed)
    for place in ((org, "other-token"), (other, "token")):
        with pytest.raises(SealBroken):
            await vault.get(*place)
    assert await vault.get(org, "token") == "value"


async def test_organisations_do_not_see_each_others_secrets(
    store: Store, vault: SealedSecrets, org: OrgId
) -> None:
    other = await new_org(store)
    await vault.put(org, "token", "mine")
    assert await vault.get(other, "token") is None
    await vault.put(other, "token", "theirs")
    assert await vault.get(org, "token") == "mine"


async def test_a_given_value_is_stored_for_processes_that_are_not_given_it(
    store: Store, vault: SealedSecrets, org: OrgId, tmp_path: Path
) -> None:
    await vault.give(org, "token", "given")
    other = SealedSecrets(store, CLOCK, SealingKey("a key of the operator", tmp_path))
    assert await other.get(org, "token") == "given"
    before = await sealed_at(store, org, "token")
    await other.give(org, "token", "given")
    assert await sealed_at(store, org, "token") == before
    await other.give(org, "token", "given anew")
    assert await SealedSecrets(
        store, CLOCK, SealingKey("a key of the operator", tmp_path)
    ).get(org, "token") == "given anew"  # fmt: skip


async def test_a_given_value_is_used_beside_one_that_another_key_sealed_which_stays(
    store: Store, vault: SealedSecrets, org: OrgId, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await vault.put(org, "token", "theirs")
    stranger = SealedSecrets(store, CLOCK, SealingKey("another key", tmp_path))
    await stranger.give(org, "token", "mine")
    assert await stranger.get(org, "token") == "mine"
    assert await vault.get(org, "token") == "theirs"
    assert "sealed with another key" in caplog.text


def test_a_sealed_value_with_any_byte_changed_does_not_open() -> None:
    sealed = seal(KEY, DEFAULT_ORG, "token", "value")
    assert unseal(KEY, DEFAULT_ORG, "token", sealed) == "value"
    for index in range(len(sealed)):
        changed = bytearray(sealed)
        changed[index] ^= 1
        with pytest.raises((SealBroken, SealedWithAnotherKey)):
            unseal(KEY, DEFAULT_ORG, "token", bytes(changed))
    for length in range(len(sealed)):
        with pytest.raises((SealBroken, SealedWithAnotherKey)):
            unseal(KEY, DEFAULT_ORG, "token", sealed[:length])


def test_the_key_file_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / KEY_FILE
    key = read_key_file(path)
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert read_key_file(path) == key
    assert read_key_file(tmp_path / "other" / KEY_FILE) != key


def test_processes_that_make_the_key_file_at_once_get_one_key(tmp_path: Path) -> None:
    path, start = tmp_path / KEY_FILE, Barrier(8)

    def read() -> bytes:
        start.wait(10)
        return read_key_file(path)

    with ThreadPoolExecutor(8) as threads:
        keys = {future.result() for future in [threads.submit(read) for _ in range(8)]}
    assert len(keys) == 1


def test_a_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / KEY_FILE
    read_key_file(path)
    path.chmod(0o640)
    with pytest.raises(BadKeyFile, match="may be read by others"):
        read_key_file(path)


def test_a_key_file_without_a_key_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / KEY_FILE
    path.touch(mode=0o600)
    path.write_text("abc\n")
    with pytest.raises(BadKeyFile, match="64 hexadecimal digits"):
        read_key_file(path)
    assert path.read_text() == "abc\n"


def test_a_key_file_that_cannot_be_made_is_named_in_the_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BadKeyFile, match="can be neither read nor made"):
        read_key_file(tmp_path / "file" / KEY_FILE)


def test_serve_says_what_is_wrong_with_the_key_file_and_ends(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_text("abc\n")
    (tmp_path / KEY_FILE).chmod(0o644)
    given = {"SOJOURN_BOOTSTRAP_WORKSPACE_KEY": "ws", "SOJOURN_BOOTSTRAP_WORKSPACE_SECRET": "signing words"}
    serve = [sys.executable, "-m", "sojourn", "serve", "--port", "0", "--data-dir", tmp_path]
    ended = subprocess.run(
        serve, check=False, env=os.environ | given, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 1
    assert "may be read by others" in ended.stderr
    assert "Traceback" not in ended.stderr


async def test_a_start_seals_the_workspace_secret_and_a_later_start_reads_it(tmp_path: Path) -> None:
    given = Settings(
        data_dir=tmp_path, bootstrap_workspace_key="ws-1", bootstrap_workspace_secret="signing words"
    )
    name = "membrane/workspace/ws-1"
    async with open_services(given) as running:
        assert await running.services.secrets.get(DEFAULT_ORG, name) == "signing words"
    async with open_services(Settings(data_dir=tmp_path)) as running:
        assert await running.services.secrets.get(DEFAULT_ORG, name) == "signing words"
    files = files_under(tmp_path)
    assert files.keys() >= {DATABASE_FILE, KEY_FILE}
    assert [name for name, data in files.items() if b"signing words" in data] == []


async def test_a_start_seals_the_workspaces_public_key_under_its_name(tmp_path: Path) -> None:
    given = Settings(data_dir=tmp_path, bootstrap_workspace_key="ws-1", bootstrap_workspace_public_key="PEM")
    async with open_services(given) as running:
        secrets = running.services.secrets
        assert await secrets.get(DEFAULT_ORG, "membrane/public-key/ws-1") == "PEM"
        assert await secrets.get(DEFAULT_ORG, "membrane/default-workspace") == "ws-1"
        assert await secrets.get(DEFAULT_ORG, "membrane/workspace/ws-1") is None


def test_a_workspace_secret_without_a_workspace_is_a_bad_setting(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="bootstrap_workspace_key"):
        load_settings({}, {"SOJOURN_BOOTSTRAP_WORKSPACE_SECRET": "signing words"}, tmp_path)


def test_a_start_without_secrets_loads_no_cipher_and_makes_no_key_file(tmp_path: Path) -> None:
    program = """
import asyncio, sys
from pathlib import Path
from sojourn.config import Settings
from sojourn.wiring import open_services

async def start():
    async with open_services(Settings(data_dir=Path(sys.argv[1]))):
        print([name for name in sys.modules if name.startswith("Cryptodome")])

asyncio.run(start())
"""
    said = subprocess.run(
        [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, check=True
    )
    assert said.stdout == "[]\n"
    assert not (tmp_path / KEY_FILE).exists()
