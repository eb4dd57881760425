"""What a change did not touch: left out of updates, taken from the document before it in whole documents."""

import pytest

from sinks.elasticsearch.untouched import completed, exact, told


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (b'{"a":1,"t":"__debezium_unavailable_value","b":2}', b'{"a":1,"b":2}'),
        (b'{"t":"__debezium_unavailable_value","u":["__debezium_unavailable_value"],"a":1}', b'{"a":1}'),
        (b'{"a":1,"b":"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="}', b'{"a":1}'),
        (b'{"h":{"__debezium_unavailable_value":"__debezium_unavailable_value"}}', b"{}"),
        (b'{"a":1,"j":"{\\"__debezium_unavailable_value\\":\\"__debezium_unavailable_value\\"}"}', b'{"a":1}'),
        (b'{"a":"x\\" \\"t\\":\\"__debezium_unavailable_value\\""}', None),
        (b'{"a":"it says __debezium_unavailable_value"}', None),
        (b'{"a":"\\\\","t":"__debezium_unavailable_value"}', b'{"a":"\\\\"}'),
    ],
)
def test_what_a_change_did_not_touch_is_left_out_of_an_update(body: bytes, left: bytes | None) -> None:
    assert told(body) == (body if left is None else left)


@pytest.mark.parametrize(
    ("body", "held", "made"),
    [
        (b'{"a":1,"t":"__debezium_unavailable_value"}', {"a": 0, "t": "long"}, b'{"a":1,"t":"long"}'),
        (b'{"a":1,"t":["__debezium_unavailable_value"]}', {"t": ["x", "y"]}, b'{"a":1,"t":["x","y"]}'),
        (b'{"after":{"t":"__debezium_unavailable_value"}}', {"after": {"t": "long"}}, b'{"after":{"t":"long"}}'),
        (b'{"a":1,"b":"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ=="}', {"a": 0}, b'{"a":1}'),
        (b'{"a":1,"t":"__debezium_unavailable_value"}', None, b'{"a":1}'),
        (b'{"a":1,"h":{"__debezium_unavailable_value":"__debezium_unavailable_value"}}', {"h": {"k": "v"}},
         b'{"a":1,"h":{"k":"v"}}'),
    ],
)  # fmt: skip
def test_a_whole_document_keeps_them_from_the_one_before_it(body: bytes, held: object, made: bytes) -> None:
    assert completed(body, held) == made


def test_numbers_stay_as_they_stood() -> None:
    held = exact(b'{"t":123456789012345678901234567890.10}')
    body = b'{"n":0.10,"i":-18446744073709551616,"t":"__debezium_unavailable_value"}'
    made = b'{"n":0.10,"i":-18446744073709551616,"t":123456789012345678901234567890.10}'
    assert completed(body, held) == made
