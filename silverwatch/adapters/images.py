"""Pictures that people send: read with care, drawn anew. What we keep was written by us, byte for byte."""

import threading
from io import BytesIO
from typing import Final

from PIL import Image, ImageFile

MAX_BYTES: Final = 5 * 1024 * 1024
MAX_PIXELS: Final = 25_000_000
SIDE: Final = 256
QUALITY: Final = 86

FORMATS: Final = {b"\xff\xd8\xff": "JPEG", b"\x89PNG\r\n\x1a\n": "PNG"}
"""How the two kinds begin. The name of the file and its declared type are the sender's words: nobody reads them."""

MARKS: Final = (b"<html", b"<script", b"<!doctype", b"<?php", b"<svg ", b"<svg>", b"%pdf-")
"""What a picture never holds in any case of letters: the file means to be something else as well."""
ZIP_END: Final = b"PK\x05\x06"
ZIP_TAIL: Final = 65_557
"""An archive is read from its end, so one can hang behind a picture: its last record stands within these bytes."""

ORIENTATION: Final = 0x0112
TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What a camera that was held otherwise says in its EXIF, and how to put that right."""

EMPTY: Final = "Choose a photo first."
TOO_LARGE: Final = "The photo is larger than 5 MB. Choose a smaller one."
OTHER_KIND: Final = "This is not a JPEG or PNG picture. Save it as one of these and choose it again."
TWO_THINGS: Final = (
    "This file holds more than a picture. Save the photo again as JPEG or PNG and choose that one."
)
TOO_MANY_PIXELS: Final = "The photo has more than 25 million pixels. Make it smaller and choose it again."
BROKEN: Final = "This picture is damaged or not complete. Choose another one."

_one_at_a_time: Final = threading.Lock()
"""A picture of 25 million pixels takes 100 MB while it is read: ten at once must not take a gigabyte."""


class PictureError(Exception):
    """This cannot become a portrait; the message says what to do."""


def portrait(data: bytes) -> bytes:
    """A JPEG of 256 x 256 pixels, the middle of the picture, upright, without any metadata.

    Raises PictureError for everything but a whole JPEG or PNG of at most 5 MB and 25 million pixels, and for a
    file that is something else as well.
    """
    if not data:
        raise PictureError(EMPTY)
    if len(data) > MAX_BYTES:
        raise PictureError(TOO_LARGE)
    kind = next((kind for start, kind in FORMATS.items() if data.startswith(start)), None)
    if kind is None:
        raise PictureError(OTHER_KIND)
    if _is_more(data):
        raise PictureError(TWO_THINGS)
    # WeasyPrint lets the whole process take pictures that are cut off; a photo that is not whole is refused.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with _one_at_a_time, Image.open(BytesIO(data), formats=[kind]) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise PictureError(TOO_MANY_PIXELS)
            return _drawn(picture)
    except PictureError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PictureError(TOO_MANY_PIXELS) from None
    except Exception:
        # A decoder that is fed with nonsense raises whatever it likes: OSError, SyntaxError, struct.error, ..
        raise PictureError(BROKEN) from None


def _is_more(data: bytes) -> bool:
    """Is this a picture and something else? Drawing anew takes the other part away; saying so is more honest."""
    lower = data.lower()
    return any(mark in lower for mark in MARKS) or ZIP_END in data[-ZIP_TAIL:]


def _drawn(picture: Image.Image) -> bytes:
    turn = TURNS.get(picture.getexif().get(ORIENTATION, 1))
    # A JPEG can be read at a half, a quarter or an eighth of its size; other kinds do not know this.
    picture.draft("RGB", (2 * SIDE, 2 * SIDE))
    picture.load()
    side = min(picture.size)
    left, top = (picture.width - side) / 2, (picture.height - side) / 2
    # The middle of a picture stays the middle however it is turned, so the small one is turned.
    small = _plain(picture).resize(
        (SIDE, SIDE), Image.Resampling.LANCZOS, box=(left, top, left + side, top + side), reducing_gap=3.0
    )
    if turn is not None:
        small = small.transpose(turn)
    # A new canvas has none of the old one's metadata; what was transparent gets a white ground.
    canvas = Image.new("RGB", (SIDE, SIDE), "white")
    canvas.paste(small, mask=small if small.mode == "RGBA" else None)
    written = BytesIO()
    canvas.save(written, "JPEG", quality=QUALITY, optimize=True)
    return written.getvalue()


def _plain(picture: Image.Image) -> Image.Image:
    """As RGB or RGBA, whatever it was: a palette, grey with 16 bits, the four inks of a printer."""
    if picture.mode in {"RGB", "RGBA"}:
        return picture
    if picture.mode.startswith("I"):
        return picture.point(lambda value: value * (1 / 256)).convert("RGB")
    return picture.convert("RGBA" if picture.has_transparency_data else "RGB")
