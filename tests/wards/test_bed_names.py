"""Many beds at once, as people write them."""

import pytest

from silverwatch.domain.errors import ConflictError
from silverwatch.domain.wards import bed_names


@pytest.mark.parametrize(
    ("written", "labels"),
    [
        ("7", ["7"]),
        ("1-3", ["1", "2", "3"]),
        ("08-10", ["08", "09", "10"]),
        ("A1-A3", ["A1", "A2", "A3"]),
        ("A1 - 2", ["A1", "A2"]),
        ("1, 2;5-6\nWindow", ["1", "2", "5", "6", "Window"]),
        (" ,3, ", ["3"]),
    ],
)
def test_what_is_written_is_read(written: str, labels: list[str]) -> None:
    assert bed_names.labels(written) == labels


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "Write the beds"),
        (" , ;", "Write the beds"),
        ("12-1", "smaller number first"),
        ("A1-B4", "the same letters"),
        ("1-1000", "at most 100"),
        (",".join(str(n) for n in range(200)), "at most 100"),
        ("1, 2, 1", "written twice"),
        ("a1, A1", "written twice"),
        ("x" * 13, "1 to 12 characters"),
        ("Home 3", "places at home"),
    ],
)
def test_what_cannot_be_read_says_what_to_do(written: str, said: str) -> None:
    with pytest.raises(ConflictError, match=said):
        bed_names.labels(written)
