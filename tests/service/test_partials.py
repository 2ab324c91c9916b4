"""What is known of messages being written is the beginning of what was written, whatever previews were lost."""

from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain.feed import Preview
from sojourn.domain.ids import DEFAULT_ORG, MessageId, SessionId, uuid7
from sojourn.ports.wakeups import Hint
from sojourn.service.hub import Hub
from sojourn.service.partials import Partials

SESSION, TEXT = SessionId(uuid7()), "Once upon a time"


def preview(message: MessageId, start: int, end: int) -> Preview:
    return Preview(SESSION, message, start, TEXT[start:end])


@given(st.lists(st.tuples(st.integers(0, len(TEXT)), st.integers(0, len(TEXT)))))
def test_what_is_known_and_what_followers_are_told_is_a_beginning_of_the_text(
    spans: list[tuple[int, int]],
) -> None:
    partials, message, told = Partials(), MessageId(uuid7()), ""
    for start, end in spans:
        added = partials.add(DEFAULT_ORG, preview(message, start, end), is_own=False)
        if added is not None:
            assert added.offset == len(told)
            told += added.text
    assert TEXT.startswith(told)
    assert (partials.get(DEFAULT_ORG, SESSION) or (message, "")) == (message, told)


def test_a_next_message_takes_the_place_of_one_whose_end_was_not_heard() -> None:
    partials, first, second = Partials(), MessageId(uuid7()), MessageId(uuid7())
    partials.add(DEFAULT_ORG, preview(first, 0, 4), is_own=False)
    partials.add(DEFAULT_ORG, preview(second, 0, 2), is_own=False)
    assert partials.get(DEFAULT_ORG, SESSION) == (second, "On")


def test_an_ended_message_is_not_begun_again() -> None:
    partials, message = Partials(), MessageId(uuid7())
    partials.add(DEFAULT_ORG, preview(message, 0, 4), is_own=False)
    partials.end(DEFAULT_ORG, SESSION)
    assert partials.add(DEFAULT_ORG, preview(message, 0, 4), is_own=False) is None
    assert partials.get(DEFAULT_ORG, SESSION) is None


def test_only_own_messages_are_told_again() -> None:
    partials, own, others = Partials(), MessageId(uuid7()), MessageId(uuid7())
    partials.add(DEFAULT_ORG, preview(own, 0, 4), is_own=True)
    partials.add(DEFAULT_ORG, preview(own, 4, 9), is_own=True)
    elsewhere = Preview(SessionId(uuid7()), others, 0, "elsewhere")
    partials.add(DEFAULT_ORG, elsewhere, is_own=False)
    assert list(partials.own()) == [(DEFAULT_ORG, preview(own, 0, 9))]


def test_the_late_word_of_an_end_elsewhere_does_not_cut_what_is_written_here_by_now() -> None:
    hub, theirs, ours = Hub(), MessageId(uuid7()), MessageId(uuid7())
    hub.hear_preview(DEFAULT_ORG, preview(theirs, 0, 4))
    hub.preview(DEFAULT_ORG, preview(ours, 0, 2))
    hub.hear(Hint(DEFAULT_ORG, SESSION, ended=frozenset({theirs})))
    hub.preview(DEFAULT_ORG, preview(ours, 2, 4))
    assert hub.partial(DEFAULT_ORG, SESSION) == (ours, "Once")
    hub.hear(Hint(DEFAULT_ORG, SESSION, ended=frozenset({ours})))
    assert hub.partial(DEFAULT_ORG, SESSION) is None


def test_an_end_that_does_not_say_of_which_message_is_that_of_any() -> None:
    hub, ours = Hub(), MessageId(uuid7())
    hub.preview(DEFAULT_ORG, preview(ours, 0, 2))
    hub.hear(Hint(DEFAULT_ORG, SESSION, ends_message=True))
    assert hub.partial(DEFAULT_ORG, SESSION) is None
