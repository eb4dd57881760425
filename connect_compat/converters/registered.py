"""Batches to bytes and back where a registry keeps the schemas: a zero, four bytes of the schema's id, the value.

What differs from format to format (Protobuf, JSON Schema) is a `Format`; ids, subjects and versions are found here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple, Protocol

from cdc.errors import ConversionError
from cdc.json.fault import find_fault
from cdc.record import NULL
from cdc.schema import Schema
from connect_compat.converters.chosen import Chooser, must_have_no_rules, of_other_kind, renewal
from connect_compat.converters.registry import Registered, Registry
from connect_compat.converters.registry_keys import RegistryConfig, subject

Encode = Callable[[Sequence[Any]], list[bytes | None]]
HEAD: Final = 5
_MAGIC: Final = b"\0"


class Wanted(NamedTuple):
    """A schema as it is to be registered; `record`: the full name of what it describes, None when it has none."""

    text: str
    record: str | None


class Reader(NamedTuple):
    schema: Schema
    read: Callable[[bytes], Any]


class Format(Protocol):
    """How one kind of schema is made and read. All raise ConversionError."""

    @property
    def kind(self) -> str:
        """As the registry calls it."""

    @property
    def defaults(self) -> bool:
        """Whether a null becomes its schema's default."""

    def wanted(self, schema: Schema) -> Wanted: ...

    def writer(
        self, schema: Schema, text: str, imported: Callable[[str], str | None], head: bytes, *, strict: bool
    ) -> Encode:
        """`text`: of the schema in the registry; `imported`: texts of its references; `head` stands before values.

        `strict`: whether a schema in the registry that cannot hold the values is refused.
        """

    def place(self, data: bytes) -> tuple[Any, int]:
        """What of the schema a value is of, and where it begins."""

    def record(self, text: str, imported: Callable[[str], str | None], place: Any) -> str | None:
        """The full name of what a value describes."""

    def reader(self, text: str, imported: Callable[[str], str | None], place: Any, version: int | None) -> Reader: ...


class RegisteredValues:
    """One side (key or value) of a connector's records."""

    def __init__(
        self, name: str, config: RegistryConfig, form: Format, settings: Mapping[str, str], *, is_key: bool, size: int
    ) -> None:
        """`name`: of the converter; `settings`: as they were given; `size`: how many schemas are kept.

        Raises: ConfigError: a login that is not whole, a store that is none.
        """
        self._name, self._config, self._form = name, config, form
        self._is_key, self._size = is_key, size
        self._side = "key" if is_key else "value"
        self._registry = Registry(config.access(settings), normalize=config.normalize, tags=config.tags)
        self._chooser = Chooser(self._registry, config, form.kind)
        self._writers: dict[tuple[str, Schema], Encode] = {}
        self._renew = renewal(config, self._writers)
        self._readers: dict[tuple[str, int, Any], Reader] = {}

    def encode(self, topic: str, schema: Schema | None, values: Sequence[Any]) -> list[bytes | None]:
        if schema is None:
            if all(value is None or value is NULL for value in values):
                return [None] * len(values)
            raise self._failed(topic, "it has no schema; set schemas.enable=true where it is read as JSON, or use "
                                      "another converter")  # fmt: skip
        if self._renew is not None:
            self._renew()
        try:
            return (self._writers.get((topic, schema)) or self._compiled(topic, schema))(values)
        except ConversionError as error:
            fault = None if "registry" in str(error) else find_fault(schema, values, defaults=self._form.defaults)
            raise self._failed(topic, str(fault or error)) from None
        except (TypeError, ValueError, AttributeError, KeyError, OverflowError, IndexError) as error:
            fault = find_fault(schema, values, defaults=self._form.defaults)
            raise self._failed(topic, str(fault or error)) from None

    def _failed(self, topic: str, reason: str) -> ConversionError:
        return ConversionError(f"{self._name} cannot write the {self._side} of a record of topic {topic!r}: {reason}")

    def _compiled(self, topic: str, schema: Schema) -> Encode:
        """The schema is registered, or looked up, before the first value of it is written."""
        wanted = self._form.wanted(schema)
        name = self._subject(topic, wanted.record)
        if name is None:
            raise ConversionError(f"{self._strategy()} names subjects after records, and this is none")
        found, own, strict = chosen = self._chooser.choose(name, wanted.text)
        head = _MAGIC + chosen.number.to_bytes(4, "big")
        imports = self._imports(found)
        with _of_schema(chosen.number, name):
            made = self._form.writer(schema, found.text, imports, head, strict=strict and not own)
        if len(self._writers) >= self._size:
            self._writers.clear()
        self._writers[topic, schema] = made
        return made

    def _subject(self, topic: str, record: str | None) -> str | None:
        return subject(self._strategy(), topic, record, is_key=self._is_key)

    def _strategy(self) -> str:
        return self._config.key_strategy if self._is_key else self._config.value_strategy

    def _imports(self, found: Registered) -> Callable[[str], str | None]:
        """Texts of the schemas that one refers to, and of those that they refer to, by name."""
        texts: dict[str, str] = {}

        def learn(each: Registered) -> None:
            for name, of, version in each.references:
                if name in texts:
                    continue
                referred = self._registry.at(of, version)
                if referred is None:
                    raise ConversionError(f"the schema registry has no version {version} of {of!r}, which a schema "
                                          f"refers to as {name!r}")  # fmt: skip
                texts[name] = referred.text
                learn(referred)

        learn(found)
        return texts.get

    def decode(self, topic: str, raw: Sequence[bytes | None]) -> list[tuple[Schema | None, Any]]:
        out: list[tuple[Schema | None, Any]] = []
        for data in raw:
            if data is None:
                out.append((None, None))
                continue
            try:
                out.append(self._decoded(topic, data))
            except ConversionError as error:
                raise ConversionError(f"{self._name} cannot read the {self._side} of a record of topic {topic!r}: "
                                      f"{error}") from None  # fmt: skip
        return out

    def _decoded(self, topic: str, data: bytes) -> tuple[Schema | None, Any]:
        if len(data) < HEAD or data[:1] != _MAGIC:
            raise ConversionError("it does not begin with a zero and a schema's id; it may have been written by "
                                  "another converter, such as JsonConverter")  # fmt: skip
        number = int.from_bytes(data[1:HEAD], "big")
        try:
            place, at = self._form.place(data)
            reader = self._readers.get((topic, number, place)) or self._opened(topic, number, place)
            value = reader.read(data[at:])
        except (IndexError, ValueError, TypeError, KeyError, OverflowError):
            raise ConversionError(f"its bytes are not of schema {number}") from None
        return reader.schema, NULL if value is None else value

    def _opened(self, topic: str, number: int, place: Any) -> Reader:
        found = self._registry.by_id(number)
        if found.kind != self._form.kind:
            raise of_other_kind(number, found.kind, self._form.kind)
        imports = self._imports(found)
        with _of_schema(number, self._subject(topic, None)):
            record = self._form.record(found.text, imports, place)
        name = self._subject(topic, record)
        must_have_no_rules(found._replace(id=number), name, reading=True)
        kept = None if name is None else self._registry.lookup(name, found.text, found.kind, found.references)
        with _of_schema(number, name):
            made = self._form.reader(found.text, imports, place, None if kept is None else kept.version)
        self._readers[topic, number, place] = made
        return made


@contextmanager
def _of_schema(number: int, subject: str | None) -> Iterator[None]:
    """What is wrong with a schema is said with its id and its subject."""
    try:
        yield
    except ConversionError as error:
        raise ConversionError(f"schema {number} of subject {subject!r}: {error}") from None
