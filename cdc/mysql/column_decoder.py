"""One column of a rows event -> the lines of straight-line Python that read it: part of a compiled row decoder.

Source: MySQL's source documentation, "Rows_event", `Field::pack`, "Date and Time Data Type Representation",
`strings/decimal.cc`.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

from cdc.errors import DecodeError
from cdc.mysql import jsonb
from cdc.mysql.charset import AS_JAVA, stored_codec
from cdc.mysql.column_default import default_value
from cdc.mysql.floats import geometry, point, vector
from cdc.mysql.json_diff import patched
from cdc.mysql.mariadb_values import inet4_text, inet6_text, inflated, uuid_text
from cdc.mysql.table_map import real_type
from cdc.mysql.temporal import (
    CLOCK,
    DATE_PREFIX,
    DAY_SECONDS,
    DIGITS,
    Cache,
    DateForm,
    DatetimeForm,
    TimeForm,
    instant_text,
    valid_day,
    wrapped,
)
from cdc.mysql.type_family import (
    BINARY_TEXT,
    Family,
    TypeOptions,
    family,
    integer_bits,
    is_single,
    is_unsigned,
    options_of,
    type_word,
)
from cdc.schema import to_single
from cdc.table import Column

_TINY, _SHORT, _LONG, _FLOAT, _DOUBLE, _TIMESTAMP, _LONGLONG, _INT24 = 1, 2, 3, 4, 5, 7, 8, 9
_DATE, _TIME, _DATETIME, _YEAR, _NEWDATE, _VARCHAR, _BIT = 10, 11, 12, 13, 14, 15, 16
_TIMESTAMP2, _DATETIME2, _TIME2 = 17, 18, 19
_VECTOR, _JSON, _NEWDECIMAL, _ENUM, _SET = 242, 245, 246, 247, 248
_BLOBS: Final = (249, 250, 251, 252)
_VAR_STRING, _STRING, _GEOMETRY = 253, 254, 255
_BLOB_COMPRESSED, _VARCHAR_COMPRESSED = 140, 141
_COMPRESSED: Final = (_BLOB_COMPRESSED, _VARCHAR_COMPRESSED)
_STRINGS: Final = frozenset((_VARCHAR, _VAR_STRING, _STRING, *_BLOBS, *_COMPRESSED))

_STORED_AS: Final = {
    Family.BOOLEAN: frozenset((_TINY,)),
    Family.BIT: frozenset((_BIT,)),
    Family.INTEGER: frozenset((_TINY, _SHORT, _INT24, _LONG, _LONGLONG)),
    Family.FLOAT: frozenset((_FLOAT, _DOUBLE)),
    Family.DECIMAL: frozenset((_NEWDECIMAL,)),
    Family.TEXT: _STRINGS,
    Family.BINARY: _STRINGS,
    Family.ENUM: frozenset((_ENUM,)),
    Family.SET: frozenset((_SET,)),
    Family.JSON: frozenset((_JSON, *_BLOBS)),
    Family.YEAR: frozenset((_YEAR,)),
    Family.DATE: frozenset((_DATE, _NEWDATE)),
    Family.TIME: frozenset((_TIME, _TIME2)),
    Family.DATETIME: frozenset((_DATETIME, _DATETIME2)),
    Family.TIMESTAMP: frozenset((_TIMESTAMP, _TIMESTAMP2)),
    Family.POINT: frozenset((_GEOMETRY,)),
    Family.GEOMETRY: frozenset((_GEOMETRY,)),
    Family.VECTOR: frozenset((_VECTOR, _VARCHAR)),
    Family.UUID: frozenset((_STRING,)),
    Family.INET: frozenset((_STRING,)),
}
_INTEGERS: Final = {_TINY: ("b", "B"), _SHORT: ("h", "H"), _LONG: ("i", "I"), _LONGLONG: ("q", "Q")}
_INTEGER_BITS: Final = {_TINY: 8, _SHORT: 16, _INT24: 24, _LONG: 32, _LONGLONG: 64}
_LENGTHS: Final = {1: ("B",), 2: ("H",), 3: ("H", "B"), 4: ("I",), 8: ("Q",)}
_CODE_BYTES: Final = {"b": 1, "B": 1, "h": 2, "H": 2, "i": 4, "I": 4, "q": 8, "Q": 8, "f": 4, "d": 8}
_DIGIT_BYTES: Final = (0, 1, 1, 2, 2, 3, 3, 4, 4, 4)
_MICROS_PER_COUNT: Final = {0: 0, 1: 10_000, 2: 100, 3: 1}
"""What one count of a fraction of so many bytes is, in microseconds."""


@dataclass(frozen=True)
class Steps:
    """How to read one column.

    Attributes:
        codes: what stands at a fixed place, as (`struct` code, variable) with variable None for bytes to skip.
        lines: run when the codes are unpacked.
        payload: bytes of variable length that follow: `{raw}` in it is the expression for them; None: there are none.
        length: expression for their number.
    """

    codes: tuple[tuple[str, str | None], ...]
    lines: tuple[str, ...] = ()
    payload: str | None = None
    length: str = ""


def code_bytes(code: str) -> int:
    """Bytes that a `struct` code takes; of the counted ones (`5s`, `3x`) their count."""
    return _CODE_BYTES.get(code) or int(code[:-1])


@dataclass(frozen=True)
class StoredColumn:
    """A column as the table's definition and the server's table map describe it.

    Attributes:
        type, meta: `MYSQL_TYPE_*` and its metadata, as in `binlog.TableMap`.
        variable: the variable that gets the value; also makes names of constants unique.
        constants: what the lines need under a global name; filled while steps are made.
        lenient: undefined bytes of a text become U+FFFD, instead of raising UnicodeDecodeError.
        collation: of a text, its collation id in the log; None when the log does not tell: then the column's
            character set holds, which Debezium's rules for ALTER TABLE may have got wrong.
    """

    column: Column
    type: int
    meta: int
    variable: str
    options: TypeOptions
    constants: dict[str, Any] = field(repr=False)
    lenient: bool = False
    collation: int | None = None

    def constant(self, name: str, value: Any) -> str:
        """The global name under which the lines see `value`."""
        unique = f"{name}_{self.variable}"
        self.constants[unique] = value
        return unique


def check(stored: StoredColumn) -> None:
    """Raises: DecodeError: the server stores the column as another type than its definition says."""
    kind = family(stored.column)
    found = real_type(stored.type, stored.meta)
    fits = found in _STORED_AS[kind]
    if fits and kind is Family.INTEGER:
        fits = _INTEGER_BITS[found] == integer_bits(stored.column)
    if not fits:
        raise DecodeError(
            f"column {stored.column.name!r} is {stored.column.type_name} in the schema history but of type {found} in "
            "the binary log: the history does not fit the log; rebuild it with `tailrace history rebuild`"
        )


def skip(stored: StoredColumn) -> Steps:
    """Reads past the column."""
    codes, length = layout(stored)
    if length:
        return Steps(codes, _joined(stored.variable, codes), "", stored.variable)
    return Steps(((f"{sum(code_bytes(code) for code, _ in codes)}x", None),))


def steps(stored: StoredColumn) -> Steps:
    """Reads the column's value into its variable."""
    return _READERS[family(stored.column)](stored)


def layout(stored: StoredColumn) -> tuple[tuple[tuple[str, str | None], ...], bool]:
    """The codes of the fixed part, and whether it is the length of bytes that follow."""
    type_, meta = real_type(stored.type, stored.meta), stored.meta
    if type_ in _INTEGERS:
        return _named(stored.variable, _INTEGERS[type_][is_unsigned(stored.column)]), False
    if type_ in (_ENUM, _SET):
        return _named(stored.variable, *_LENGTHS[meta & 0xFF]), False
    if type_ in (_VARCHAR, _VAR_STRING, _STRING, _VARCHAR_COMPRESSED):
        longest = char_bytes(meta) if type_ == _STRING else meta
        return _named(stored.variable, "B" if longest < 256 else "H"), True
    if type_ in (*_BLOBS, _JSON, _GEOMETRY, _VECTOR, _BLOB_COMPRESSED):
        return _named(stored.variable, *_LENGTHS[meta]), True
    return _named(stored.variable, f"{_width(type_, meta)}s"), False


def _width(type_: int, meta: int) -> int:
    """Bytes of a value of fixed width."""
    if type_ == _NEWDECIMAL:
        return _decimal_bytes(meta >> 8, meta & 0xFF)
    if type_ == _BIT:
        return (meta >> 8) + (meta & 0xFF > 0)
    fixed = {_INT24: 3, _FLOAT: 4, _DOUBLE: 8, _DATE: 3, _NEWDATE: 3, _TIME: 3, _DATETIME: 8, _TIMESTAMP: 4, _YEAR: 1}
    fraction = {_TIME2: 3, _DATETIME2: 5, _TIMESTAMP2: 4}
    return fraction[type_] + (meta + 1) // 2 if type_ in fraction else fixed[type_]


def _named(variable: str, *codes: str) -> tuple[tuple[str, str | None], ...]:
    return tuple((code, variable if i == 0 else f"{variable}_{i}") for i, code in enumerate(codes))


def _joined(variable: str, codes: tuple[tuple[str, str | None], ...]) -> tuple[str, ...]:
    """Puts a number of three bytes together, unpacked as two and one."""
    return (f"{variable} |= {variable}_1 << 16",) if len(codes) == 2 else ()


def char_bytes(meta: int) -> int:
    """Greatest length in bytes of a CHAR or BINARY: two bits of it hide, inverted, in the type byte."""
    return (((meta >> 4) & 0x300) ^ 0x300) + (meta & 0xFF)


def _integer(stored: StoredColumn) -> Steps:
    v, unsigned = stored.variable, is_unsigned(stored.column)
    if stored.type == _INT24:
        codes = _named(v, "H", "B" if unsigned else "b")
        return Steps(codes, _joined(v, codes))
    if stored.type == _LONGLONG and stored.options.bigint_unsigned == "long":
        return Steps((("q", v),))  # Debezium lets great numbers overflow
    return Steps(layout(stored)[0])


def _boolean(stored: StoredColumn) -> Steps:
    v = stored.variable
    return Steps((("b", v),), (f"{v} = {v} != 0",))


def _bit(stored: StoredColumn) -> Steps:
    """BIT(1): a truth value; else little-endian bytes, in the log they are big-endian."""
    v = stored.variable
    if (stored.column.length or 1) == 1:
        return Steps((("B", v),), (f"{v} = {v} & 1 == 1",))
    return Steps(layout(stored)[0], (f"{v} = {v}[::-1]",))


def _float(stored: StoredColumn) -> Steps:
    v = stored.variable
    if stored.type == _FLOAT:
        return Steps((("f", v),))
    lines = (f"{v} = {stored.constant('single', to_single)}({v})",) if is_single(stored.column) else ()
    return Steps((("d", v),), lines)


def _decimal_bytes(precision: int, scale: int) -> int:
    whole = precision - scale
    return whole // 9 * 4 + _DIGIT_BYTES[whole % 9] + scale // 9 * 4 + _DIGIT_BYTES[scale % 9]


def _decimal(stored: StoredColumn) -> Steps:
    """Groups of nine digits in four bytes, odd digits outside in fewer; big-endian, the sign bit turned over."""
    v, precision, scale = stored.variable, stored.meta >> 8, stored.meta & 0xFF
    whole = precision - scale
    digits = [whole % 9, *[9] * (whole // 9), *[9] * (scale // 9), scale % 9]
    groups = [(count, _DIGIT_BYTES[count]) for count in digits if count]
    size = sum(width for _, width in groups)
    sign = 1 << 8 * size - 1
    below, number = 8 * size, ""
    for count, width in groups:
        below -= 8 * width
        part = f"({v} >> {below} & {(1 << 8 * width) - 1})" if below else f"({v} & {(1 << 8 * width) - 1})"
        number = f"({number} * {10**count} + {part})" if number else part
    if len(groups) == 1:
        number = v
    shown = {"double": f"{v} / {10**scale}" if scale else f"float({v})", "string": f"decimal_text({v}, {scale})"}
    lines = [
        f"if {v} >= {sign}: {v} -= {sign}; {v} = {number}",
        f"else: {v} ^= {sign - 1}; {v} = -{number}",
    ]
    if stored.options.decimal in shown:
        lines.append(f"{v} = {shown[stored.options.decimal]}")
    if size == 1:
        return Steps((("B", v),), tuple(lines))
    return Steps(((f"{size}s", v),), (f"{v} = from_bytes({v})", *lines))


def _payload(stored: StoredColumn, expression: str) -> Steps:
    codes, _ = layout(stored)
    if stored.type in _COMPRESSED:
        expression = expression.format(raw=f"{stored.constant('inflated', inflated)}({{raw}})")
    return Steps(codes, _joined(stored.variable, codes), expression, stored.variable)


def _text(stored: StoredColumn) -> Steps:
    name = stored_codec(stored.collation, stored.column.charset)
    if name == "utf_8":
        return _payload(stored, f'{{raw}}.decode("utf-8", "{AS_JAVA}")' if stored.lenient else "{raw}.decode()")
    decode = stored.constant("decode", codecs.lookup(name).decode)
    errors = AS_JAVA if stored.lenient else "strict"
    return _payload(stored, f'{decode}({{raw}}, "{errors}")[0]')


def padding(column: Column) -> int:
    """BINARY(n) is shown with the zeros at its end, which the server does not store; 0 for BINARY and other types."""
    return (column.length or 0) if type_word(column) == "BINARY" else 0


def _binary(stored: StoredColumn) -> Steps:
    width = padding(stored.column)
    raw = f'{{raw}}.ljust({width}, b"\\0")' if width else "{raw}"
    shown = BINARY_TEXT.get(stored.options.binary)
    return _payload(stored, raw if shown is None else f"{stored.constant('shown', shown)}({raw})")


def _enum(stored: StoredColumn) -> Steps:
    members = stored.constant("members", ("", *options_of(stored.column)))
    v = stored.variable
    return Steps(layout(stored)[0], (f"{v} = {members}[{v}]",))


def _set(stored: StoredColumn) -> Steps:
    options = options_of(stored.column)
    members: Cache[int, str] = Cache(lambda bits: ",".join(o for i, o in enumerate(options) if bits >> i & 1))
    v, codes = stored.variable, layout(stored)[0]
    return Steps(codes, (*_joined(v, codes), f"{v} = {stored.constant('members', members)}[{v}]"))


def _json(stored: StoredColumn) -> Steps:
    if stored.type in _BLOBS:  # MariaDB's JSON is a LONGTEXT
        return _payload(stored, '{raw}.decode("utf-8", "replace")')
    empty = None if stored.column.optional else "{}"
    text = stored.constant("json", lambda raw: jsonb.text(raw) if raw else empty)
    return _payload(stored, f"{text}({{raw}})")


def json_changes(stored: StoredColumn, before: str, is_changes: str | None) -> Steps:
    """A JSON column in a partial update; its bytes before are kept in the variable `before`.

    `is_changes` tells whether changes stand here instead of the value; None: this is the image before.
    """
    plain = _json(stored)
    if is_changes is None:
        assert plain.payload is not None
        return replace(plain, payload=plain.payload.replace("{raw}", f"({before} := {{raw}})"))
    made = stored.constant("patched", patched)
    return replace(plain, payload=f"{made}({before}, {{raw}}) if {is_changes} else {plain.payload}")


def _geometry(stored: StoredColumn) -> Steps:
    return _payload(stored, f"{stored.constant('geometry', geometry)}({{raw}})")


def _point(stored: StoredColumn) -> Steps:
    return _payload(stored, f"{stored.constant('point', point)}({{raw}})")


def _vector(stored: StoredColumn) -> Steps:
    return _payload(stored, f"{stored.constant('vector', vector)}({{raw}})")


def _uuid(stored: StoredColumn) -> Steps:
    return _payload(stored, f"{stored.constant('uuid', uuid_text)}({{raw}})")


def _inet(stored: StoredColumn) -> Steps:
    width = 4 if type_word(stored.column) == "INET4" else 16
    return _payload(stored, f"{stored.constant('address', inet4_text if width == 4 else inet6_text)}({{raw}})")


def _year(stored: StoredColumn) -> Steps:
    return Steps((("B", stored.variable),), (f"{stored.variable} += 1900",))


def missing_date(column: Column, options: TypeOptions, epoch: int | str) -> Any:
    """What stands for a date that the calendar has not."""
    if column.optional:
        return None
    default = default_value(column, options)
    return epoch if default is None else default


def _date(stored: StoredColumn) -> Steps:
    """Three bytes, little-endian: year (15 bits), month (4), day (5)."""
    form, adjust = DateForm(stored.options.time_precision), stored.options.adjust_years
    missing = missing_date(stored.column, stored.options, form.epoch)
    invalid = form.epoch if stored.options.invalid_as_epoch else missing

    def show(packed: int) -> Any:
        year, month, day = packed >> 9, packed >> 5 & 15, packed & 31
        if not (year and month and day):
            return missing
        days = valid_day(year, month, day, adjust=adjust)
        return invalid if days is None else form.show(days)

    v = stored.variable
    dates = stored.constant("dates", Cache(show))
    return Steps(_named(v, "H", "B"), (f"{v} = {dates}[{v} | {v}_1 << 16]",))


@lru_cache(maxsize=64)
def _midnights(unit: int, adjust: bool, apart: bool) -> Cache[int, int | None]:
    """The upper 23 bits of a DATETIME2 (sign, year * 13 + month, day) -> midnight in units since 1970.

    None for a zero in year, month or day and for a day that the calendar has not; the latter, kept apart, is False.
    """

    def midnight(packed: int) -> int | None:
        (year, month), day = divmod(packed >> 5 & 0x1FFFF, 13), packed & 31
        days = valid_day(year, month, day, adjust=adjust) if year else None
        if days is None:
            return False if apart and year and month and day else None
        return days * DAY_SECONDS * unit

    return Cache(midnight)


@lru_cache(maxsize=4)
def _clock(unit: int) -> tuple[int, ...]:
    """Hour (5 bits) and minute (6 bits) -> units since midnight."""
    return tuple(((packed >> 6) * 60 + (packed & 63)) * 60 * unit for packed in range(2048))


def _datetime(stored: StoredColumn) -> Steps:
    """Five bytes, big-endian: sign, year * 13 + month (17), day (5), hour (5), minute (6), second (6); a fraction."""
    form = DatetimeForm(stored.options.time_precision, stored.column.length or 0)
    missing = stored.constant("missing", missing_date(stored.column, stored.options, form.epoch))
    v = stored.variable
    if stored.type == _DATETIME:
        show = _old_datetime(form, stored.options.adjust_years)
        lines = [f"{v} = {stored.constant('datetime', show)}({v})", f"if {v} is None: {v} = {missing}"]
        return Steps((("Q", v),), tuple(lines))
    unit, fraction_bytes = form.unit or 1_000_000, (stored.meta + 1) // 2
    days = stored.constant("days", _midnights(unit, stored.options.adjust_years, stored.options.invalid_as_epoch))
    lines = [f"{v} = from_bytes({v})"]
    if fraction_bytes:
        lines.append(f"{v}_f = {v} & {(1 << 8 * fraction_bytes) - 1}; {v} >>= {8 * fraction_bytes}")
    total = f"{v}_d + {stored.constant('clock', _clock(unit))}[{v} >> 6 & 2047] + ({v} & 63) * {unit}"
    total += _scaled(f"{v}_f", _MICROS_PER_COUNT[fraction_bytes], unit)
    if not form.unit:
        total = f"{stored.constant('text', instant_text)}({total}, 0)"
    elif form.wraps:
        total = f"{stored.constant('wrapped', wrapped)}({total})"
    if stored.options.invalid_as_epoch:
        total = f"{form.epoch!r} if {v}_d is False else {total}"
    lines += [f"{v}_d = {days}[{v} >> 17]", f"{v} = {missing} if {v}_d is None else {total}"]
    return Steps(((f"{5 + fraction_bytes}s", v),), tuple(lines))


def _scaled(count: str, micros: int, unit: int) -> str:
    """` + ` a fraction of so many microseconds a count, in units."""
    if not micros:
        return ""
    if micros * unit >= 1_000_000:
        return f" + {count} * {micros * unit // 1_000_000}"
    return f" + {count} // {1_000_000 // (micros * unit)}"


def _old_datetime(form: DatetimeForm, adjust: bool) -> Callable[[int], int | str | None]:
    """DATETIME as servers before 5.6.4 stored it: the decimal number YYYYMMDDhhmmss."""

    def show(packed: int) -> int | str | None:
        date, clock = divmod(packed, 1_000_000)
        year = date // 10_000
        days = valid_day(year, date // 100 % 100, date % 100, adjust=adjust) if year else None
        if days is None:
            return None
        seconds = (clock // 10_000 * 60 + clock // 100 % 100) * 60 + clock % 100
        return form.show((days * DAY_SECONDS + seconds) * 1_000_000)

    return show


def _timestamp(stored: StoredColumn) -> Steps:
    """Four bytes, seconds since 1970 (big-endian; little-endian before 5.6.4), and a fraction; shown in its full width.

    The zero TIMESTAMP is second 0: it is shown as 1970-01-01, also where null is possible.
    """
    v = stored.variable
    stored.constants.update(DATE_PREFIX=DATE_PREFIX, CLOCK=CLOCK, DIGITS=DIGITS)
    text = f"{{DATE_PREFIX[{v} // {DAY_SECONDS}]}}{{CLOCK[{v} % {DAY_SECONDS}]}}"
    if stored.type == _TIMESTAMP:
        return Steps((("I", v),), (f'{v} = f"{text}Z"',))
    digits, fraction_bytes = stored.meta, (stored.meta + 1) // 2
    lines = [f"{v} = from_bytes({v})"]
    if digits:
        lines.append(f"{v}_f = {v} & {(1 << 8 * fraction_bytes) - 1}; {v} >>= {8 * fraction_bytes}")
        text += "." + _fraction_text(f"{v}_f", digits)
    return Steps(((f"{4 + fraction_bytes}s", v),), (*lines, f'{v} = f"{text}Z"'))


def _fraction_text(count: str, digits: int) -> str:
    """What stands in an f-string for a stored fraction; six digits are twice three, for formatting a number is slow."""
    if digits == 6:
        return f"{{DIGITS[{count} // 1000]}}{{DIGITS[{count} % 1000]}}"
    return f"{{{count}{' // 10' if digits % 2 else ''}:0{digits}d}}"


def time_shown(column: Column, options: TypeOptions) -> Callable[[int], int | str | None]:
    """Microseconds of a TIME -> its value. It raises DecodeError where the options say so, else the value is None."""
    show = TimeForm(options.time_precision).show
    if not options.fail_on_failure:
        return show

    def strict(micros: int) -> int | str:
        if (value := show(micros)) is None:
            raise DecodeError(
                f"a TIME of column {column.name!r} lies outside 00:00 to 24:00, for which time.precision.mode="
                f"{options.time_precision} has no place; use adaptive_time_microseconds, or "
                "event.converting.failure.handling.mode=warn, which leaves such values out"
            )
        return value

    return strict


def _time(stored: StoredColumn) -> Steps:
    """Three bytes, big-endian, offset by 2^23: sign, hour (10 bits after one unused), minute, second; a fraction."""
    v, shown = stored.variable, time_shown(stored.column, stored.options)
    if stored.type == _TIME:
        codes = _named(v, "H", "b")
        return Steps(codes, (*_joined(v, codes), f"{v} = {stored.constant('time', _old_time(shown))}({v})"))
    fraction_bytes = (stored.meta + 1) // 2
    micros_per_count, zero = _MICROS_PER_COUNT[fraction_bytes], 1 << 8 * fraction_bytes + 23

    def show(stored_value: int) -> int | str | None:
        packed = abs(stored_value - zero)
        clock, count = packed >> 8 * fraction_bytes, packed & (1 << 8 * fraction_bytes) - 1
        seconds = ((clock >> 12) * 60 + (clock >> 6 & 63)) * 60 + (clock & 63)
        micros = seconds * 1_000_000 + count * micros_per_count
        return shown(-micros if stored_value < zero else micros)

    line = f"{v} = {stored.constant('times', Cache(show))}[from_bytes({v})]"
    return Steps(((f"{3 + fraction_bytes}s", v),), (line,))


def _old_time(shown: Callable[[int], int | str | None]) -> Callable[[int], int | str | None]:
    """TIME as servers before 5.6.4 stored it: the decimal number hhmmss."""

    def show(packed: int) -> int | str | None:
        number = abs(packed)
        micros = ((number // 10_000 * 60 + number // 100 % 100) * 60 + number % 100) * 1_000_000
        return shown(-micros if packed < 0 else micros)

    return show


_READERS: Final[dict[Family, Callable[[StoredColumn], Steps]]] = {
    Family.BOOLEAN: _boolean, Family.BIT: _bit, Family.INTEGER: _integer, Family.FLOAT: _float,
    Family.DECIMAL: _decimal, Family.TEXT: _text, Family.BINARY: _binary, Family.ENUM: _enum, Family.SET: _set,
    Family.JSON: _json, Family.YEAR: _year, Family.DATE: _date, Family.TIME: _time, Family.DATETIME: _datetime,
    Family.TIMESTAMP: _timestamp, Family.POINT: _point, Family.GEOMETRY: _geometry, Family.VECTOR: _vector,
    Family.UUID: _uuid, Family.INET: _inet,
}  # fmt: skip
