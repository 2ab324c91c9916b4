import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain.errors import InvalidRequest
from sojourn.domain.file import (
    MAX_INITIAL_FILES,
    MAX_PATH,
    File,
    NewFile,
    ancestors,
    below,
    children,
    directory_path,
    file_path,
    initial_files,
    is_below,
    tree,
)
from tests.support.clock import START


def file(path: str, seq: int = 1) -> File:
    return File(path=path, sha256="00", size=1, seq=seq, created_at=START, updated_at=START)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a.txt", "a.txt"),
        ("/a/b/", "a/b"),
        ("./a//./b", "a/b"),
        ("a\\..\\b", "a\\..\\b"),
        ("...", "..."),
        ("é/🜁 %2e%2e", "é/🜁 %2e%2e"),
        ("x" * MAX_PATH, "x" * MAX_PATH),
    ],
)
def test_a_path_has_one_form(text: str, path: str) -> None:
    assert file_path(text) == path


@pytest.mark.parametrize(
    "text", ["..", "../a", "a/..", "a/../b", "/..", "a\0b", "a\nb", "\x7f", "\ud800", "x" * (MAX_PATH + 1)]
)
def test_a_path_that_leads_out_or_cannot_be_stored_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        directory_path(text)


@pytest.mark.parametrize("text", ["", "/", ".", "./", "//"])
def test_the_area_itself_is_a_directory_and_no_file(text: str) -> None:
    assert directory_path(text) == ""
    with pytest.raises(InvalidRequest):
        file_path(text)


@given(st.text(max_size=30))
def test_whatever_is_taken_stays_within_the_area_and_is_taken_again_as_it_is(text: str) -> None:
    try:
        path = file_path(text)
    except InvalidRequest:
        return
    assert file_path(path) == path
    assert not path.startswith("/")
    assert not {"", ".", ".."} & set(path.split("/"))
    path.encode()


def test_directories_are_shown_for_what_they_hold() -> None:
    entries = tree([file("b/c/d", 4), file("a", 2), file("b/e", 7)])
    assert [(entry.path, entry.is_directory, entry.seq) for entry in entries] == [
        ("a", False, 2),
        ("b", True, 7),
        ("b/c", True, 4),
        ("b/c/d", False, 4),
        ("b/e", False, 7),
    ]
    assert [entry.path for entry in children(entries, "")] == ["a", "b"]
    assert [entry.path for entry in children(entries, "b")] == ["b/c", "b/e"]
    assert children(entries, "b/c/d") == []
    assert ancestors("b/c/d") == ("b", "b/c")


def test_of_two_initial_files_of_one_path_the_later_counts() -> None:
    assert initial_files([NewFile("/a", b"1"), NewFile("b", b"2"), NewFile("a", b"3")]) == (
        NewFile("a", b"3"),
        NewFile("b", b"2"),
    )


@pytest.mark.parametrize(
    "files",
    [
        [NewFile("a", b""), NewFile("a/b", b"")],
        [NewFile("..", b"")],
        [NewFile("a", bytes(4 * 1024 * 1024 + 1))],
        [NewFile("a", bytes(3 * 1024 * 1024)), NewFile("b", bytes(3 * 1024 * 1024))],
        [NewFile(str(number), b"") for number in range(MAX_INITIAL_FILES + 1)],
    ],
)
def test_initial_files_that_cannot_be_are_refused(files: list[NewFile]) -> None:
    with pytest.raises(InvalidRequest, match="files"):
        initial_files(files)


@given(st.sets(st.text("ab/.0-", min_size=1)), st.text("ab/.0-", min_size=1))
def test_what_lies_below_a_directory_is_found_among_sorted_paths(paths: set[str], directory: str) -> None:
    ordered = sorted(paths)
    assert below(ordered, directory) == [path for path in ordered if is_below(path, directory)]
