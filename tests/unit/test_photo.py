"""Pictures that people send: what becomes a portrait, and what is refused with a word that helps."""

import zlib
from io import BytesIO
from typing import Any

import pytest
from PIL import Image, ImageChops, PngImagePlugin

from silverwatch.adapters import images
from silverwatch.adapters.images import PictureError, portrait

RED, BLUE = (200, 30, 30), (30, 30, 200)
SECRET = b"where I live"


def encoded(picture: Image.Image, kind: str = "JPEG", **more: Any) -> bytes:
    """The file of a picture."""
    file = BytesIO()
    picture.save(file, kind, **more)
    return file.getvalue()


def halves(width: int = 400, height: int = 300) -> Image.Image:
    """Red above, blue below."""
    picture = Image.new("RGB", (width, height), RED)
    picture.paste(BLUE, (0, height // 2, width, height))
    return picture


def noise(width: int = 600, height: int = 400) -> Image.Image:
    """A picture whose file is long."""
    return Image.effect_noise((width, height), 60).convert("RGB")


def drawn(data: bytes) -> Image.Image:
    """The portrait of a file."""
    picture = Image.open(BytesIO(portrait(data)))
    assert (picture.format, picture.size, picture.mode) == ("JPEG", (256, 256), "RGB")
    return picture


def near(picture: Image.Image, place: tuple[int, int], colour: tuple[int, int, int]) -> bool:
    """Is this the colour there, as far as a JPEG can tell?"""
    found = picture.getpixel(place)
    assert isinstance(found, tuple)
    return all(abs(a - b) < 25 for a, b in zip(found, colour, strict=True))


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("size", [(400, 300), (300, 400), (1, 1), (3000, 40), (256, 256)])
def test_every_picture_becomes_a_square(kind: str, size: tuple[int, int]) -> None:
    drawn(encoded(halves(*size), kind))


def test_the_middle_is_kept() -> None:
    picture = Image.new("RGB", (900, 300), RED)
    picture.paste(BLUE, (300, 0, 600, 300))
    small = drawn(encoded(picture, "PNG"))
    assert all(near(small, place, BLUE) for place in ((8, 128), (128, 8), (247, 247)))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_kind_of_png(mode: str) -> None:
    drawn(encoded(Image.new(mode, (300, 200)), "PNG"))


def test_ink_of_printers_and_transparency_become_plain_colours() -> None:
    assert near(drawn(encoded(Image.new("CMYK", (300, 300), (0, 0, 0, 0)))), (9, 9), (255, 255, 255))
    assert near(drawn(encoded(Image.new("RGBA", (300, 300), (0, 0, 0, 0)), "PNG")), (9, 9), (255, 255, 255))
    assert near(drawn(encoded(Image.new("I;16", (300, 300), 0x8000), "PNG")), (9, 9), (128, 128, 128))


@pytest.mark.parametrize(
    ("orientation", "red_is"),
    [
        (1, "top"),
        (2, "top"),
        (3, "bottom"),
        (4, "bottom"),
        (5, "left"),
        (6, "right"),
        (7, "right"),
        (8, "left"),
    ],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_camera_that_was_held_otherwise(kind: str, orientation: int, red_is: str) -> None:
    exif = Image.Exif()
    exif[images.ORIENTATION] = orientation
    small = drawn(encoded(halves(300, 300), kind, exif=exif.tobytes()))
    places = {"top": (128, 20), "bottom": (128, 236), "left": (20, 128), "right": (236, 128)}
    assert [side for side, place in places.items() if near(small, place, RED)] == [red_is]
    assert images.ORIENTATION not in small.getexif()


def test_metadata_is_dropped() -> None:
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", SECRET.decode())
    for data in (
        encoded(halves(), exif=exif.tobytes(), comment=SECRET, icc_profile=SECRET),
        encoded(halves(), "PNG", exif=exif.tobytes(), pnginfo=text),
    ):
        assert SECRET in data
        kept = portrait(data)
        assert SECRET not in kept
        assert set(Image.open(BytesIO(kept)).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_a_file_of_two_pictures_gives_the_first_one() -> None:
    """Many phones hang a second picture behind the first."""
    data = encoded(halves(), "MPO", save_all=True, append_images=[Image.new("RGB", (90, 90), BLUE)])
    assert near(drawn(data), (128, 20), RED)


def test_trailers_of_phones_are_left_away() -> None:
    clean, dirty = encoded(halves()), encoded(halves()) + b"SEFT" + SECRET
    assert ImageChops.difference(drawn(clean), drawn(dirty)).getbbox() is None
    assert SECRET not in portrait(dirty)


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is huge and is a few bytes."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return len(body).to_bytes(4) + name + body + zlib.crc32(name + body).to_bytes(4)

    head = width.to_bytes(4) + height.to_bytes(4) + bytes([8, 2, 0, 0, 0])
    body = zlib.compress(bytes(1000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def jpeg_bomb() -> bytes:
    """A small JPEG that says it has 65,000 lines of 65,000 pixels."""
    small = encoded(halves())
    start = small.index(b"\xff\xc0") + 5
    return small[:start] + (65_000).to_bytes(2) * 2 + small[start + 4 :]


ZIP = b"PK\x05\x06" + bytes(18)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'


@pytest.mark.parametrize(
    ("data", "advice"),
    [
        (b"", images.EMPTY),
        (b"hello", images.OTHER_KIND),
        (SVG, images.OTHER_KIND),
        (b'<?xml version="1.0"?>' + SVG, images.OTHER_KIND),
        (encoded(halves(), "GIF"), images.OTHER_KIND),
        (encoded(halves(), "WEBP"), images.OTHER_KIND),
        (encoded(halves(), "BMP"), images.OTHER_KIND),
        (encoded(halves(), "TIFF"), images.OTHER_KIND),
        (b"GIF89a" + encoded(halves()), images.OTHER_KIND),
        (encoded(halves()) + ZIP, images.TWO_THINGS),
        (encoded(halves(), "PNG") + b"<ScRiPt>alert(1)</script>", images.TWO_THINGS),
        (encoded(halves(), comment=b"<?php system($_GET[0]); ?>"), images.TWO_THINGS),
        (encoded(halves()) + SVG, images.TWO_THINGS),
        (encoded(halves()) + b"%PDF-1.7", images.TWO_THINGS),
        (encoded(halves()) + bytes(images.MAX_BYTES), images.TOO_LARGE),
        (bomb(5001, 5000), images.TOO_MANY_PIXELS),
        (bomb(12_000, 12_000), images.TOO_MANY_PIXELS),
        (bomb(60_000, 60_000), images.TOO_MANY_PIXELS),
        (bomb(2**31 - 1, 2**31 - 1), images.TOO_MANY_PIXELS),
        (jpeg_bomb(), images.TOO_MANY_PIXELS),
        (bomb(0, 10), images.BROKEN),
        (bomb(500, 500), images.BROKEN),
        (encoded(noise())[:4000], images.BROKEN),
        (encoded(noise(), "PNG")[:4000], images.BROKEN),
        (encoded(noise())[:-40], images.BROKEN),
        (b"\xff\xd8\xff", images.BROKEN),
        (b"\xff\xd8\xff" + bytes(200), images.BROKEN),
        (b"\x89PNG\r\n\x1a\n" + b"\xff" * 200, images.BROKEN),
    ],
)
def test_what_is_refused_says_what_to_do(data: bytes, advice: str) -> None:
    with pytest.raises(PictureError) as refused:
        portrait(data)
    assert str(refused.value) == advice


def test_a_bomb_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded: list[object] = []
    monkeypatch.setattr(Image.Image, "load", lambda self: decoded.append(self))
    with pytest.raises(PictureError):
        portrait(bomb(5001, 5000))
    assert decoded == []


def refusal(data: bytes) -> str | None:
    """What a file is refused with; nothing but a refusal may come out of it."""
    try:
        portrait(data)
    except PictureError as refused:
        return str(refused)
    return None


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_flipped_bytes_never_raise_anything_else(kind: str) -> None:
    whole = encoded(noise(40, 40), kind)
    found = set()
    for place in range(8, min(len(whole), 700), 3):
        broken = bytearray(whole)
        broken[place] ^= 0xA5
        found.add(refusal(bytes(broken)))
    assert found <= {None, images.OTHER_KIND, images.BROKEN, images.TOO_MANY_PIXELS, images.TWO_THINGS}
    assert images.BROKEN in found
