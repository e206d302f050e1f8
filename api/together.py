"""What comes at once is done at once: threads that ask for the same kind of work share one run of it."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

MOST: Final = 64


class _Place(Generic[Item, Result]):
    """An item that waits, and what became of it."""

    __slots__ = ("error", "is_done", "item", "result")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.is_done = False
        self.result: Result | None = None
        self.error: BaseException | None = None


class Together(Generic[Item, Result]):
    """While one thread works, the others collect; the next of them then works for all that wait.

    Nobody waits for company: an item that comes alone is worked on alone, at once. `work` gives one result for
    each item, in their order; what it raises, everybody of that run gets.
    """

    def __init__(self, work: Callable[[Sequence[Item]], Sequence[Result]]) -> None:
        self._work = work
        self._waiting: deque[_Place[Item, Result]] = deque()
        self._turn = threading.Lock()

    def do(self, item: Item) -> Result:
        """The result of this item."""
        place: _Place[Item, Result] = _Place(item)
        self._waiting.append(place)
        with self._turn:
            while not place.is_done:
                self._run([self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))])
        if place.error is not None:
            raise place.error
        return place.result  # type: ignore[return-value]

    def _run(self, places: Sequence[_Place[Item, Result]]) -> None:
        try:
            results = self._work([place.item for place in places])
            for place, result in zip(places, results, strict=True):
                place.result = result
        except BaseException as error:
            for place in places:
                place.error = error
        finally:
            for place in places:
                place.is_done = True
