"""Java's serialised form of an `Object[]` of plain values: how Debezium keeps the keys of a snapshot in its offsets.

Source: "Java Object Serialization Specification", chapter 6 (the stream's grammar), and arrays that Java wrote.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from cdc.errors import DecodeError
from cdc.java.numbers import double_text, float_text
from cdc.schema import decimal_text


class JavaValue(NamedTuple):
    """One value. `kind` is the Java class without its package, and `value` by kind:

    Byte, Short, Integer, Long, BigInteger: int.  Boolean: bool.  Float, Double: float.  String: str.
    BigDecimal: (unscaled, scale).  bytes (`byte[]`): bytes.
    Timestamp: (milliseconds since 1970 of the whole second, nanoseconds of the second).
    Date, Time (java.sql): milliseconds since 1970.  LocalDate: (year, month, day).  Duration: (seconds, nanoseconds).
    LocalTime: (hour, minute, second, nanosecond).  LocalDateTime: those of a LocalDate and a LocalTime.
    """

    kind: str
    value: Any


Key = tuple["JavaValue | None", ...]

_EPOCH: Final = datetime(1970, 1, 1)
_MAGIC: Final = b"\xac\xed\x00\x05"
_NULL, _REFERENCE, _CLASS, _OBJECT, _STRING, _ARRAY, _BLOCK, _END = 0x70, 0x71, 0x72, 0x73, 0x74, 0x75, 0x77, 0x78
_FIRST_HANDLE: Final = 0x7E0000
_WRITES_MORE, _FIELDS, _EXTERNAL = 0x01, 0x02, 0x04


class _Class(NamedTuple):
    uid: str
    flags: int
    fields: tuple[tuple[str, str], ...] = ()
    above: str | None = None


_VALUE: Final = {"Integer": "I", "Long": "J", "Short": "S", "Byte": "B", "Float": "F", "Double": "D", "Boolean": "Z"}
_PACKED: Final = {"I": ">i", "J": ">q", "S": ">h", "B": ">b", "F": ">f", "D": ">d", "Z": ">?"}
_NUMBER: Final = "java.lang.Number"
_DATE: Final = "java.util.Date"
_CLASSES: Final = {
    "[Ljava.lang.Object;": _Class("90ce589f1073296c", 2),
    "[B": _Class("acf317f8060854e0", 2),
    _NUMBER: _Class("86ac951d0b94e08b", 2),
    "java.lang.Integer": _Class("12e2a0a4f7818738", 2, (("I", "value"),), _NUMBER),
    "java.lang.Long": _Class("3b8be490cc8f23df", 2, (("J", "value"),), _NUMBER),
    "java.lang.Short": _Class("684d37133460da52", 2, (("S", "value"),), _NUMBER),
    "java.lang.Byte": _Class("9c4e6084ee50f51c", 2, (("B", "value"),), _NUMBER),
    "java.lang.Float": _Class("daedc9a2db3cf0ec", 2, (("F", "value"),), _NUMBER),
    "java.lang.Double": _Class("80b3c24a296bfb04", 2, (("D", "value"),), _NUMBER),
    "java.lang.Boolean": _Class("cd207280d59cfaee", 2, (("Z", "value"),)),
    "java.math.BigInteger": _Class("8cfc9f1fa93bfb1d", 3, (
        ("I", "bitCount"), ("I", "bitLength"), ("I", "firstNonzeroByteNum"), ("I", "lowestSetBit"), ("I", "signum"),
        ("[B", "magnitude")), _NUMBER),
    "java.math.BigDecimal": _Class("54c71557f981284f", 3, (("I", "scale"), ("Ljava/math/BigInteger;", "intVal")),
                                   _NUMBER),
    _DATE: _Class("686a81014b597419", 3),
    "java.sql.Timestamp": _Class("2618d5c80153bf65", 2, (("I", "nanos"),), _DATE),
    "java.sql.Date": _Class("14fa46683f356697", 2, (), _DATE),
    "java.sql.Time": _Class("74894a0dd932c471", 2, (), _DATE),
    "java.time.Ser": _Class("955d84ba1b2248b2", 12),
}  # fmt: skip
_CACHED: Final = {"Integer", "Long", "Short", "Byte", "Boolean"}
"""Java has one object for each small number of these, and writes it once."""


def write(key: Sequence[JavaValue | None] | None) -> bytes:
    """`ObjectOutputStream.writeObject` of an `Object[]`, or of null."""
    return _Writer().whole(key)


def read(data: bytes) -> Key | None:
    """The values of an `Object[]`, or None for null. Raises: DecodeError: anything else."""
    reader = _Reader(data)
    try:
        found = reader.whole()
    except (IndexError, struct.error, UnicodeDecodeError) as error:
        raise DecodeError("a serialised Java object ends too early or is damaged") from error
    if found is None:
        return None
    if not isinstance(found, list):
        raise DecodeError("a serialised Java object is no Object[]")
    return tuple(_plain(value) for value in found)


class _Writer:
    def __init__(self) -> None:
        self._out = bytearray(_MAGIC)
        self._handles: dict[object, int] = {}
        self._count = 0

    def whole(self, key: Sequence[JavaValue | None] | None) -> bytes:
        if key is None:
            self._out.append(_NULL)
            return bytes(self._out)
        self._out.append(_ARRAY)
        self._class("[Ljava.lang.Object;")
        self._handle(None)
        self._out += struct.pack(">i", len(key))
        for value in key:
            self._value(value)
        return bytes(self._out)

    def _handle(self, what: object) -> None:
        if what is not None:
            self._handles[what] = self._count
        self._count += 1

    def _again(self, what: object) -> bool:
        known = self._handles.get(what)
        if known is None:
            return False
        self._out.append(_REFERENCE)
        self._out += struct.pack(">I", _FIRST_HANDLE + known)
        return True

    def _class(self, name: str) -> None:
        if self._again(name):
            return
        described = _CLASSES[name]
        self._out.append(_CLASS)
        self._out += _text(name) + bytes.fromhex(described.uid)
        self._handle(name)
        self._out += struct.pack(">BH", described.flags, len(described.fields))
        for kind, field in described.fields:
            self._out += kind[:1].encode() + _text(field)
            if len(kind) > 1 and not self._again(("type", kind)):
                self._handle(("type", kind))
                self._out += bytes((_STRING,)) + _text(kind)
        self._out.append(_END)
        if described.above is None:
            self._out.append(_NULL)
        else:
            self._class(described.above)

    def _object(self, name: str, what: object = None) -> None:
        self._out.append(_OBJECT)
        self._class(name)
        self._handle(what)

    def _value(self, value: JavaValue | None) -> None:
        if value is None:
            self._out.append(_NULL)
            return
        kind, content = value
        if kind in _VALUE:
            shared = value if kind in _CACHED and -128 <= content <= 127 else None
            if shared is None or not self._again(shared):
                self._object(f"java.lang.{kind}", shared)
                self._out += struct.pack(_PACKED[_VALUE[kind]], content)
        elif kind == "String":
            self._handle(None)
            self._out.append(_STRING)
            self._out += _text(content)
        elif kind == "bytes":
            self._bytes(content)
        elif kind == "BigInteger":
            self._big(content)
        elif kind == "BigDecimal":
            unscaled, scale = content
            self._object("java.math.BigDecimal")
            self._out += struct.pack(">i", scale)
            self._big(unscaled)
            self._out.append(_END)
        elif kind in ("Timestamp", "Date", "Time"):
            milliseconds, nanos = content if kind == "Timestamp" else (content, None)
            self._object(f"java.sql.{kind}")
            self._out += bytes((_BLOCK, 8)) + struct.pack(">q", milliseconds) + bytes((_END,))
            self._out += b"" if nanos is None else struct.pack(">i", nanos)
        else:
            block = _time_block(kind, content)
            self._object("java.time.Ser")
            self._out += bytes((_BLOCK, len(block))) + block + bytes((_END,))

    def _bytes(self, content: bytes) -> None:
        self._out.append(_ARRAY)
        self._class("[B")
        self._handle(None)
        self._out += struct.pack(">i", len(content)) + content

    def _big(self, number: int) -> None:
        self._object("java.math.BigInteger")
        self._out += struct.pack(">iiiii", -1, -1, -2, -2, (number > 0) - (number < 0))
        self._bytes(abs(number).to_bytes((abs(number).bit_length() + 7) // 8, "big"))
        self._out.append(_END)


def _text(text: str) -> bytes:
    """Java's modified UTF-8 after its length."""
    encoded = bytearray()
    for (unit,) in struct.iter_unpack(">H", text.encode("utf-16-be", "surrogatepass")):
        if 0 < unit < 0x80:
            encoded.append(unit)
        elif unit < 0x800:
            encoded += bytes((0xC0 | unit >> 6, 0x80 | unit & 0x3F))
        else:
            encoded += bytes((0xE0 | unit >> 12, 0x80 | unit >> 6 & 0x3F, 0x80 | unit & 0x3F))
    return struct.pack(">H", len(encoded)) + encoded


def _plain_text(raw: bytes) -> str:
    text = raw.replace(b"\xc0\x80", b"\0").decode("utf-8", "surrogatepass")
    return text.encode("utf-16-be", "surrogatepass").decode("utf-16-be")


def _time_block(kind: str, content: Any) -> bytes:
    if kind == "LocalDate":
        return struct.pack(">BiBB", 3, *content)
    if kind == "Duration":
        return struct.pack(">Bqi", 1, *content)
    if kind == "LocalTime":
        return b"\x04" + _clock(*content)
    if kind == "LocalDateTime":
        year, month, day, *clock = content
        return struct.pack(">BiBB", 5, year, month, day) + _clock(*clock)
    raise ValueError(f"no Java value of kind {kind!r}")


def _clock(hour: int, minute: int, second: int, nano: int) -> bytes:
    """What is zero at the end is left out; the complement of the last member says so."""
    if nano:
        return struct.pack(">BBBi", hour, minute, second, nano)
    if second:
        return struct.pack(">BBb", hour, minute, ~second)
    return struct.pack(">Bb", hour, ~minute) if minute else struct.pack(">b", ~hour)


class _Described(NamedTuple):
    name: str
    flags: int
    fields: list[tuple[str, str]]
    above: _Described | None


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0
        self._handles: list[Any] = []

    def whole(self) -> Any:
        if self._take(4) != _MAGIC:
            raise DecodeError("not a serialised Java object")
        return self._content()

    def _take(self, count: int) -> bytes:
        taken = self._data[self._at : self._at + count]
        if len(taken) < count:
            raise IndexError
        self._at += count
        return taken

    def _number(self, form: str) -> Any:
        return struct.unpack(form, self._take(struct.calcsize(form)))[0]

    def _content(self) -> Any:
        tag = self._number(">B")
        if tag == _NULL:
            return None
        if tag == _REFERENCE:
            return self._handles[self._number(">I") - _FIRST_HANDLE]
        if tag == _CLASS:
            return self._class()
        if tag == _STRING:
            text = _plain_text(self._take(self._number(">H")))
            self._handles.append(text)
            return text
        if tag == _ARRAY:
            return self._array()
        if tag == _OBJECT:
            return self._object()
        raise DecodeError(f"a serialised Java object holds the unknown tag {tag:#x}")

    def _class(self) -> _Described:
        name = self._take(self._number(">H")).decode()
        self._take(8)
        at = len(self._handles)
        self._handles.append(None)
        flags, fields = self._number(">B"), []
        for _ in range(self._number(">H")):
            kind = self._take(1).decode()
            field = self._take(self._number(">H")).decode()
            if kind in "L[":
                self._content()
            fields.append((kind, field))
        self._annotations()
        above = self._content()
        self._handles[at] = described = _Described(name, flags, fields, above)
        return described

    def _annotations(self) -> list[Any]:
        found: list[Any] = []
        while (tag := self._data[self._at]) != _END:
            if tag == _BLOCK:
                self._at += 1
                found.append(self._take(self._number(">B")))
            else:
                found.append(self._content())
        self._at += 1
        return found

    def _array(self) -> Any:
        described = self._content()
        at = len(self._handles)
        self._handles.append(None)
        size = self._number(">i")
        found: Any = self._take(size) if described.name == "[B" else [self._content() for _ in range(size)]
        self._handles[at] = found
        return found

    def _object(self) -> _Object:
        described = self._content()
        found = _Object(described.name, {}, [])
        self._handles.append(found)
        chain: list[_Described] = []
        while described is not None:
            chain.append(described)
            described = described.above
        for each in reversed(chain):
            if each.flags & _FIELDS:
                for kind, field in each.fields:
                    found.fields[field] = self._content() if kind in "L[" else self._number(_PACKED[kind])
            if each.flags & (_WRITES_MORE | _EXTERNAL):
                found.more.extend(self._annotations())
        return found


class _Object(NamedTuple):
    name: str
    fields: dict[str, Any]
    more: list[Any]


def _plain(found: Any) -> JavaValue | None:
    """Raises: DecodeError: a class that no key column gives."""
    if found is None:
        return None
    if isinstance(found, str):
        return JavaValue("String", found)
    if isinstance(found, bytes):
        return JavaValue("bytes", found)
    if isinstance(found, _Object):
        kind = found.name.rpartition(".")[2]
        if found.name == f"java.lang.{kind}" and kind in _VALUE:
            return JavaValue(kind, found.fields["value"])
        if kind == "BigInteger":
            return JavaValue(kind, _big(found))
        if kind == "BigDecimal":
            return JavaValue(kind, (_big(found.fields["intVal"]), found.fields["scale"]))
        if found.name in ("java.sql.Timestamp", "java.sql.Date", "java.sql.Time"):
            milliseconds = struct.unpack(">q", found.more[0])[0]
            return JavaValue(kind, (milliseconds, found.fields["nanos"]) if kind == "Timestamp" else milliseconds)
        if found.name == "java.time.Ser":
            return _time(found.more[0])
    raise DecodeError(
        f"a snapshot's key holds a {getattr(found, 'name', type(found).__name__)}, which is not known here"
    )


def _big(found: _Object) -> int:
    return int(found.fields["signum"]) * int.from_bytes(found.fields["magnitude"], "big")


def _time(block: bytes) -> JavaValue:
    kind, rest = block[0], block[1:]
    if kind == 1:
        return JavaValue("Duration", struct.unpack(">qi", rest))
    if kind == 3:
        return JavaValue("LocalDate", struct.unpack(">iBB", rest))
    if kind == 4:
        return JavaValue("LocalTime", _unclock(rest))
    if kind == 5:
        return JavaValue("LocalDateTime", (*struct.unpack(">iBB", rest[:6]), *_unclock(rest[6:])))
    raise DecodeError(f"a snapshot's key holds a java.time value of type {kind}, which is not known here")


def _unclock(rest: bytes) -> tuple[int, int, int, int]:
    if len(rest) >= 7:
        return struct.unpack(">BBBi", rest[:7])
    signed = [*struct.unpack(f">{len(rest)}b", rest)]
    signed[-1] = ~signed[-1]
    hour, minute, second = (*signed, 0, 0)[:3]
    return hour, minute, second, 0


def shown(value: JavaValue | None) -> str:
    """`Objects.toString` with `<null>` for null; bytes, which Java does not show, in hexadecimal."""
    if value is None:
        return "<null>"
    kind, content = value
    if kind == "Boolean":
        return "true" if content else "false"
    if kind == "bytes":
        return str(content.hex())
    if kind == "BigDecimal":
        return decimal_text(*content)
    if kind in ("Float", "Double"):
        return (float_text if kind == "Float" else double_text)(content)
    if kind == "Timestamp":
        milliseconds, nanos = content
        at = _EPOCH + timedelta(milliseconds=milliseconds)
        return f"{at:%Y-%m-%d %H:%M:%S}." + (f"{nanos:09d}".rstrip("0") or "0")
    if kind == "Date":
        return f"{_EPOCH + timedelta(milliseconds=content):%Y-%m-%d}"
    if kind == "LocalDate":
        return "{:04d}-{:02d}-{:02d}".format(*content)
    if kind == "Duration":
        return _duration(*content)
    return str(content)


def _duration(seconds: int, nanos: int) -> str:
    """`Duration.toString`: PT, then what is not zero of hours, minutes and seconds, each with the sign."""
    whole = seconds * 1_000_000_000 + nanos
    if not whole:
        return "PT0S"
    sign, whole = ("-", -whole) if whole < 0 else ("", whole)
    minutes, rest = divmod(whole, 60_000_000_000)
    hours, minutes = divmod(minutes, 60)
    text = (f"{sign}{hours}H" if hours else "") + (f"{sign}{minutes}M" if minutes else "")
    if rest:
        second, nano = divmod(rest, 1_000_000_000)
        text += f"{sign}{second}" + (f".{nano:09d}".rstrip("0") if nano else "") + "S"
    return "PT" + text
