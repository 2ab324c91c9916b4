import asyncio

from sojourn.web.kit.cork import Cork


class Written(asyncio.Transport):
    """A transport that keeps what is written to it."""

    def __init__(self) -> None:
        super().__init__({"peername": ("client", 1)})
        self.writes: list[bytes] = []
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def get_write_buffer_size(self) -> int:
        return 0


async def turn_of_the_loop() -> None:
    turned = asyncio.Event()
    asyncio.get_running_loop().call_soon(turned.set)
    await turned.wait()


async def test_what_is_written_in_one_turn_goes_out_together() -> None:
    transport = Written()
    cork = Cork(transport, asyncio.get_running_loop())
    cork.write(b"head ")
    cork.write(b"body")
    assert transport.writes == []
    await turn_of_the_loop()
    cork.write(b"next")
    await turn_of_the_loop()
    assert transport.writes == [b"head body", b"next"]


async def test_closing_writes_what_is_held_first() -> None:
    transport = Written()
    cork = Cork(transport, asyncio.get_running_loop())
    cork.write(b"last")
    cork.close()
    await turn_of_the_loop()
    assert (transport.writes, transport.closed) == ([b"last"], True)


async def test_much_is_passed_on_at_once() -> None:
    transport = Written()
    cork = Cork(transport, asyncio.get_running_loop())
    cork.write(b"x" * 10_000)
    cork.write(b"x" * 10_000)
    assert [len(written) for written in transport.writes] == [20_000]
    await turn_of_the_loop()
    assert len(transport.writes) == 1


async def test_what_is_held_for_a_client_that_has_gone_is_dropped() -> None:
    transport = Written()
    cork = Cork(transport, asyncio.get_running_loop())
    cork.write(b"late")
    transport.closed = True
    await turn_of_the_loop()
    assert transport.writes == []


async def test_what_is_held_counts_as_unsent() -> None:
    transport = Written()
    cork = Cork(transport, asyncio.get_running_loop())
    cork.write(b"12345")
    assert cork.get_write_buffer_size() == 5
    await turn_of_the_loop()
    assert cork.get_write_buffer_size() == 0


async def test_everything_else_is_the_transports_own() -> None:
    transport = Written()
    cork = Cork(transport, asyncio.get_running_loop())
    assert cork.get_extra_info("peername") == ("client", 1)
    assert not cork.is_closing()
    transport.closed = True
    assert cork.is_closing()


def test_no_method_of_a_transport_is_left_out() -> None:
    """One that is would be the base class's, which only says that it is not there."""
    methods = {name for name in dir(asyncio.Transport) if not name.startswith("_")}
    assert methods - vars(Cork).keys() == set()
