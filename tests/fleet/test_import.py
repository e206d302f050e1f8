"""Many devices from a file: shown first, stored when confirmed; and the labels to stick on them."""

import io
import re
import zlib
from uuid import uuid4

import pytest

from silverwatch.adapters import pdf
from silverwatch.domain.devices import importing
from tests.cast import Cast
from tests.checked import CheckedClient
from tests.conftest import Site, missing
from tests.fleet.test_fleet import tekla as tekla

HEAD = "serial,type,ward,location,interval_s,sensitivity,sample_rate_hz\n"
WARD = uuid4()


def read(text: str) -> importing.Sheet:
    """A file of somebody whose ward is Ward A and who has a device SW-1."""
    return importing.read(text, wards={"ward a": WARD}, known={"sw-1"})


def test_rows_become_settings() -> None:
    sheet = read(
        "\ufeffSerial;Type;Ward;Interval s\r\nSW-9;Blood-pressure monitor;WARD A;\r\n\r\nSW-10;wearable;;2,5\r\n"
    )
    assert not sheet.bad
    first, second = (line.setting for line in sheet.good)
    assert first is not None
    assert second is not None
    assert (first.kind, first.ward_id, first.interval_s) == ("blood_pressure_monitor", WARD, 1800)
    assert (second.kind, second.ward_id, second.interval_s, second.sensitivity) == (
        "wearable",
        None,
        2.5,
        "normal",
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",wearable", "Write a serial number"),
        ("SW-1,wearable", "There is a device SW-1 already."),
        ("sw-1,wearable", "There is a device sw-1 already."),
        ("SW-9,wearable\nSW-9,wearable", "SW-9 stands in row 2 already."),
        ("SW-9,wearable\nsw-9,wearable", "sw-9 stands in row 2 already."),
        ("\u200b,wearable", "Write a serial number"),
        ("SW\u202e-1\u200b,wearable", "There is a device SW-1 already."),
        ("G-1,gateway,store", "A gateway of the whole site is an administrator's."),
        ("SW-9,toaster", "Write one of these types"),
        ("SW-9,wearable,Ward B", 'There is no ward "Ward B" of yours.'),
        ("SW-9,wearable,,,often", "Enter an interval"),
        ("SW-9,wearable,,,inf", "Enter an interval"),
        ("SW-9,wearable,,,4,huge", "Choose low, normal or high."),
        ("SW-9,wearable,,,4,low,x", "Enter a sample rate"),
        (f"SW-9,wearable,,{'x' * 61}", "Enter at most 60 characters."),
    ],
)
def test_what_is_wrong_is_said_of_its_row(row: str, said: str) -> None:
    bad = read(HEAD + row).bad
    assert len(bad) == 1
    assert len(bad[0].problems) == 1
    assert said in bad[0].problems[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,kind\na,b", "The first line must name the columns serial, type."),
        ("serial,type,colour\na,b,c", "The first line may name these columns"),
        (HEAD, "There is no row below"),
        (HEAD + "SW-9,wearable\n" * 501, "There are more than 500 rows."),
        ('serial,type\n"SW-9,wearable', "This is not a CSV file."),
    ],
)
def test_a_file_that_cannot_be_read_says_what_to_do(text: str, said: str) -> None:
    assert said in read(text).problem


def test_nothing_is_stored_before_it_is_confirmed(site: Site, cast: Cast, tekla: CheckedClient) -> None:
    text = HEAD + "".join(f"SW-{number},wearable,ward a,Shelf 1\n" for number in range(100, 150))
    count = "SELECT count(*) FROM device"
    before = site.row(count)[0]
    shown = tekla.submit("/devices/import", {"file": (io.BytesIO(text.encode()), "devices.csv")})
    assert shown.status_code == 200
    assert "50 devices can be added" in shown.get_data(as_text=True)
    assert site.row(count)[0] == before
    answer = tekla.submit("/devices/import", {"text": text, "confirmed": "yes"})
    assert (answer.status_code, answer.location) == (303, "/devices?added=50")
    assert "50 devices are added." in tekla.get(answer.location).get_data(as_text=True)
    assert site.row(count)[0] == before + 50
    again = tekla.submit("/devices/import", {"text": text, "confirmed": "yes"})
    assert again.status_code == 422
    assert again.get_data(as_text=True).count("There is a device SW-") == 50


def test_rows_that_can_be_added_are_added_without_the_others(
    site: Site, cast: Cast, tekla: CheckedClient
) -> None:
    text = HEAD + "SW-9,wearable\nSW-1,wearable\nSW-3,wearable\n"
    shown = tekla.submit("/devices/import", {"text": text})
    assert shown.status_code == 422
    page = shown.get_data(as_text=True)
    assert "1 device can be added, 2 rows cannot" in page
    assert tekla.submit("/devices/import", {"text": text, "confirmed": "yes"}).status_code == 303
    assert site.row("SELECT kind, ward_id FROM device WHERE serial = 'SW-9'") == ("wearable", None)


def test_a_gateway_that_is_not_theirs_stops_no_other_row(
    site: Site, cast: Cast, tekla: CheckedClient
) -> None:
    text = HEAD + "GW-9,gateway,store\nGW-10,gateway,a\n"
    assert "1 device can be added, 1 row cannot" in tekla.submit("/devices/import", {"text": text}).get_data(
        as_text=True
    )
    assert tekla.submit("/devices/import", {"text": text, "confirmed": "yes"}).status_code == 303
    assert site.row("SELECT string_agg(serial, ',') FROM device WHERE serial LIKE 'GW-%0'")[0] == "GW-10"


@pytest.mark.parametrize("sent", [b"", b"\xff\xfe\x00", b"x" * (256 * 1024 + 1)])
def test_what_is_no_file_of_devices(cast: Cast, tekla: CheckedClient, sent: bytes) -> None:
    answer = tekla.submit("/devices/import", {"file": (io.BytesIO(sent), "devices.csv")})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.get_data(as_text=True)


def test_labels_are_a_pdf_of_what_the_list_shows(cast: Cast, tekla: CheckedClient) -> None:
    tekla.submit(
        "/devices/import",
        {"text": HEAD + "".join(f"L-{n},wearable\n" for n in range(25)), "confirmed": "yes"},
    )
    answer = tekla.get("/devices/labels.pdf?q=L-")
    if answer.status_code == 503:
        assert pdf.MISSING in answer.get_data(as_text=True)
        missing("no pango library: labels were not drawn")
    assert answer.mimetype == "application/pdf"
    assert answer.data.startswith(b"%PDF-")
    # 24 on the first sheet, one on the second.
    assert sheets(answer.data) == 2


def sheets(drawn: bytes) -> int:
    """How many pages a PDF has: its objects are packed into streams."""
    packed = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", drawn, re.DOTALL)
    plain = b"".join(zlib.decompress(part) for part in packed if part.startswith(b"x"))
    return len(re.findall(rb"/Type\s*/Page(?![a-zA-Z])", plain + drawn))


def test_a_pdf_fetches_nothing() -> None:
    try:
        drawn = pdf.render('<p>x</p><img src="file:///etc/hostname">', "")
    except pdf.PdfMissingError:
        missing("no pango library: the PDF was not drawn")
    assert drawn.startswith(b"%PDF-")
