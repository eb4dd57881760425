"""Table definitions and ALTER TABLE clauses, applied to a draft of one table.

Source: MySQL's manual, "CREATE TABLE Statement" and "ALTER TABLE Statement".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from cdc.errors import DecodeError
from cdc.mysql.ddl_columns import (
    TEXT_TYPES,
    Definition,
    check,
    default_of,
    definition,
    references,
    required,
    said,
)
from cdc.mysql.ddl_tokens import Cursor, TokenKind, unquote_name
from cdc.table import Column, Table, TableId


@dataclass(eq=False)
class _Slot:
    """A column while its table is altered.

    `original` is its name before the statement, by which clauses go; None for a column that the statement adds.
    """

    column: Column
    original: str | None = None


class TableDraft:
    """A table being made or altered."""

    def __init__(self, id: TableId, *, comments: bool) -> None:
        self.id = id
        self.charset: str | None = None
        self.comment: str | None = None
        self.comments = comments
        self._slots: list[_Slot] = []
        self._key: list[_Slot] = []

    @classmethod
    def of(cls, table: Table, *, comments: bool) -> TableDraft:
        draft = cls(table.id, comments=comments)
        draft.charset, draft.comment = table.charset, table.comment
        draft._slots = [_Slot(column, column.name) for column in table.columns]
        draft._key = draft._known(table.primary_key)
        return draft

    def table(self) -> Table:
        """The table, positions counted anew, text columns without a character set given the table's."""
        columns = []
        for position, slot in enumerate(self._distinct(), 1):
            column = slot.column
            charset = said(column.charset, self.charset) if column.jdbc_type in TEXT_TYPES else column.charset
            columns.append(replace(column, position=position, charset=charset))
        key = tuple(slot.column.name for slot in self._key)
        return Table(id=self.id, columns=tuple(columns), primary_key=key, charset=self.charset, comment=self.comment)

    def _distinct(self) -> list[_Slot]:
        """Without columns that were there before another was added by the same name: so when a text is read again."""
        return [slot for slot in self._slots if slot.original is None or self._now(slot.column.name) is slot]

    @property
    def names(self) -> str:
        return ", ".join(slot.column.name for slot in self._slots)

    def _now(self, name: str) -> _Slot | None:
        """A column that is added goes before one of the same name, which a later clause drops or renames."""
        folded = name.lower()
        found = [slot for slot in self._slots if slot.column.name.lower() == folded]
        return min(found, key=lambda slot: slot.original is not None, default=None)

    def _known(self, names: Sequence[str | None]) -> list[_Slot]:
        return [slot for name in names if name is not None and (slot := self._now(name)) is not None]

    def before(self, name: str) -> Column | None:
        """The column that had this name before the statement, else one that has it now."""
        slot = self._before(name)
        return None if slot is None else slot.column

    def _before(self, name: str) -> _Slot | None:
        folded = name.lower()
        return next((slot for slot in self._slots if (slot.original or "").lower() == folded), None) or self._now(name)

    def put(self, column: Column) -> None:
        """Adds a column at the end."""
        self._slots.append(_Slot(column))

    def replace(self, old: str, column: Column) -> None:
        """Gives the column that was called `old` a new name and shape."""
        slot = self._before(old)
        if slot is not None:
            slot.column = column

    def remove(self, name: str) -> None:
        slot = self._before(name)
        if slot is not None:
            self._slots.remove(slot)
            self._key = [key for key in self._key if key is not slot]

    def move(self, name: str, after: str | None) -> None:
        """Moves the column that is now called `name` behind another, or to the front."""
        slot = self._now(name)
        other = None if after is None else self._now(after)
        if slot is None or other is slot or (after is not None and other is None):
            return
        self._slots.remove(slot)
        self._slots.insert(0 if other is None else self._slots.index(other) + 1, slot)

    def convert(self, charset: str | None) -> None:
        """Gives the table and all its text columns a character set."""
        self.charset = charset
        for slot in self._slots:
            if slot.column.charset is not None:
                slot.column = replace(slot.column, charset=charset)

    def no_key(self) -> None:
        self._key = []

    def key(self, names: Sequence[str | None]) -> None:
        """Makes these the key."""
        self._key = self._known(names)

    def primary(self, names: Sequence[str | None]) -> None:
        """Makes these the key; a column of a primary key is never null."""
        self.key(names)
        for slot in self._key:
            slot.column = required(slot.column)

    def unique_column(self, name: str) -> None:
        """A column that is UNIQUE serves as the key when there is none yet, even when it may be null (Debezium)."""
        if not self._key:
            self._key = self._known([name])

    def unique(self, names: Sequence[str | None]) -> bool:
        """A unique index serves as the key when there is none yet and none of its columns may be null.

        Returns: whether it is considered at all: there is no key, and the index is on columns alone.
        """
        found = self._known(names)
        if self._key or not names or len(found) < len(names):
            return False
        if not any(slot.column.optional for slot in found):
            self._key = found
        return True


def create_definitions(cursor: Cursor, draft: TableDraft) -> None:
    """The parenthesised list of a CREATE TABLE or ADD COLUMN: columns, keys, constraints."""
    cursor.expect_sign("(")
    late: list[list[str | None]] = []
    while True:
        token = cursor.peek()
        if token is None:
            raise cursor.error("expected a column or a key")
        if token.kind is not TokenKind.WORD or not _key_or_constraint(cursor, draft, late):
            add_column(cursor, draft)
        if cursor.accept_sign(")"):
            break
        cursor.expect_sign(",")
    for names in late:  # a primary key may be named before its columns, which then may be null (Debezium)
        draft.key(names)


def add_column(cursor: Cursor, draft: TableDraft) -> str:
    """`name definition`. Returns: the name."""
    cursor.accept_sign(".")
    name = cursor.name()
    while cursor.accept_sign("."):  # `table.column`
        name = cursor.name()
    found = definition(cursor, name, comments=draft.comments)
    draft.put(found.column)
    _key_of(draft, name, found)
    return name


def _key_of(draft: TableDraft, name: str, found: Definition) -> None:
    if found.primary:
        draft.primary([name])
    elif found.unique:
        draft.unique_column(name)


def _key_or_constraint(cursor: Cursor, draft: TableDraft, primaries: list[list[str | None]]) -> bool:
    """Takes a key or constraint. Returns: False when a column comes instead."""
    named = cursor.at("CONSTRAINT")
    if named:
        cursor.take()
        if not any(cursor.at(word) for word in ("PRIMARY", "UNIQUE", "FOREIGN", "CHECK")):
            cursor.name()
    if cursor.accept("PRIMARY", "KEY"):
        names = _index(cursor)
        draft.primary(names)
        primaries.append(names)
    elif cursor.at("UNIQUE"):
        cursor.take()
        cursor.accept_any("KEY", "INDEX")
        draft.unique(_index(cursor))
    elif cursor.accept("FOREIGN", "KEY"):
        _index(cursor)
        cursor.expect("REFERENCES")
        references(cursor)
    elif cursor.at("CHECK"):
        check(cursor)
    elif cursor.accept("PERIOD", "FOR"):  # MariaDB's temporal tables
        cursor.name()
        cursor.parens()
    elif not named and _is_index(cursor):
        cursor.accept_any("FULLTEXT", "SPATIAL")
        cursor.accept_any("KEY", "INDEX")
        _index(cursor)
    else:
        if named:
            raise cursor.error("expected a key or CHECK after CONSTRAINT")
        return False
    return True


def _is_index(cursor: Cursor) -> bool:
    """INDEX, KEY, FULLTEXT and SPATIAL are reserved: a column of that name stands in quotes."""
    return any(cursor.at(word) for word in ("INDEX", "KEY", "FULLTEXT", "SPATIAL"))


def _index(cursor: Cursor) -> list[str | None]:
    """`[name] [USING type] (columns) [options]`. Returns: the columns."""
    while not cursor.at_sign("("):
        if not (cursor.accept_any("USING", "TYPE") and cursor.take()):
            cursor.name()
    names = index_columns(cursor)
    while not (cursor.done or cursor.at_sign(",") or cursor.at_sign(")") or cursor.at("REFERENCES")):
        cursor.take()
    return names


def index_columns(cursor: Cursor) -> list[str | None]:
    """`(name [(length)] [ASC | DESC], ...)`. None stands for an expression."""
    inner = Cursor(cursor.parens())
    names: list[str | None] = []
    while not inner.done:
        token = inner.peek()
        string = token is not None and token.kind is TokenKind.STRING
        names.append((inner.word_or_string() if string else inner.name()) if string or inner.at_name() else None)
        inner.skip_until_comma()
        inner.accept_sign(",")
    return names


_LAST_OPTIONS: Final = ("PARTITION", "SELECT", "AS", "WITH", "TABLE", "VALUES")


def table_options(cursor: Cursor, draft: TableDraft) -> None:
    """Options after the definitions of a CREATE TABLE; partitions and a query after them are passed over."""
    while not cursor.done and not any(cursor.at(word) for word in _LAST_OPTIONS):
        if not table_option(cursor, draft):
            cursor.take()


def table_option(cursor: Cursor, draft: TableDraft) -> bool:
    """Takes an option about the character set or the comment. A collation alone changes no character set (Debezium)."""
    default = cursor.accept("DEFAULT")
    if cursor.accept("CHARACTER", "SET") or cursor.accept("CHARSET") or cursor.accept("CHAR", "SET"):
        cursor.accept_sign("=")
        charset = cursor.word_or_string()
        draft.charset = None if charset.upper() == "DEFAULT" else charset
        _collation_after(cursor)
    elif cursor.accept("COLLATE"):
        cursor.accept_sign("=")
        cursor.word_or_string()
    elif cursor.accept("COMMENT"):
        cursor.accept_sign("=")
        text = cursor.take().text[1:-1]
        draft.comment = text if draft.comments else None
    else:
        return default
    return True


def _collation_after(cursor: Cursor) -> None:
    """A collation after a character set only refines it."""
    ahead = 1 if cursor.at("DEFAULT") else 0
    token = cursor.peek(ahead)
    if token is not None and token.upper == "COLLATE":
        for _ in range(ahead + 1):
            cursor.take()
        cursor.accept_sign("=")
        cursor.word_or_string()


# ALTER TABLE


def alter(cursor: Cursor, draft: TableDraft, table_id: Callable[[Cursor], TableId], charset: str | None) -> None:
    """Every clause, in order.

    Args:
        table_id: reads a table's name.
        charset: the database's default, for CONVERT TO CHARACTER SET DEFAULT.
    Raises: DecodeError: a clause that is none, or names a column that the table has not.
    """
    while not cursor.done and not cursor.at("PARTITION", "BY"):
        _clause(cursor, draft, table_id, charset)
        cursor.accept_sign(",")  # table options may follow each other without commas


def _clause(cursor: Cursor, draft: TableDraft, table_id: Callable[[Cursor], TableId], charset: str | None) -> None:
    if cursor.accept("ADD"):
        _add(cursor, draft)
    elif cursor.accept("DROP"):
        _drop(cursor, draft)
    elif cursor.accept("MODIFY"):
        cursor.accept("COLUMN")
        _modify(cursor, draft, missing=cursor.accept("IF", "EXISTS"))
    elif cursor.accept("CHANGE"):
        cursor.accept("COLUMN")
        _change(cursor, draft, missing=cursor.accept("IF", "EXISTS"))
    elif cursor.accept("RENAME"):
        _rename(cursor, draft, table_id)
    elif cursor.accept("ALTER"):
        _alter_column(cursor, draft)
    elif cursor.accept("CONVERT", "TO"):
        _convert(cursor, draft, charset)
    else:
        charset_before = draft.charset
        if not table_option(cursor, draft):
            _passed_over(cursor)
        draft.charset = charset_before  # Debezium's parser takes the option in CREATE TABLE only


_WITH_A_VALUE = """
    ALGORITHM LOCK ENABLE DISABLE WITH WITHOUT ENGINE ENGINE_ATTRIBUTE SECONDARY_ENGINE SECONDARY_ENGINE_ATTRIBUTE
    AUTOEXTEND_SIZE AUTO_INCREMENT AVG_ROW_LENGTH CHECKSUM PAGE_CHECKSUM COMPRESSION CONNECTION DATA INDEX
    DELAY_KEY_WRITE ENCRYPTION INSERT_METHOD KEY_BLOCK_SIZE MAX_ROWS MIN_ROWS PACK_KEYS PASSWORD ROW_FORMAT START
    STATS_AUTO_RECALC STATS_PERSISTENT STATS_SAMPLE_PAGES STORAGE TABLESPACE UNION WAIT TRANSACTIONAL PAGE_COMPRESSED
    PAGE_COMPRESSION_LEVEL"""
_WITHOUT_VALUE = "FORCE SECONDARY_LOAD SECONDARY_UNLOAD NOWAIT"
_TO_THE_END = """
    ORDER DISCARD IMPORT COALESCE REORGANIZE EXCHANGE TRUNCATE ANALYZE CHECK OPTIMIZE REBUILD REPAIR REMOVE UPGRADE"""
_OPTIONS: Final = frozenset(_WITH_A_VALUE.split())
_FLAGS: Final = frozenset(_WITHOUT_VALUE.split())
_LAST: Final = frozenset(_TO_THE_END.split())


def _passed_over(cursor: Cursor) -> None:
    """A clause that changes nothing of what rows look like."""
    if cursor.accept_any(*_OPTIONS):
        cursor.accept("DIRECTORY")
        cursor.accept_sign("=")
        if cursor.at_sign("("):
            cursor.parens()
        else:
            cursor.take()
    elif cursor.accept_any(*_LAST):
        _to_the_end(cursor)
    elif not cursor.accept_any(*_FLAGS):
        raise cursor.error("unknown clause of ALTER TABLE")


def _to_the_end(cursor: Cursor) -> None:
    while not cursor.done:
        cursor.take()


def _add(cursor: Cursor, draft: TableDraft) -> None:
    if cursor.accept("SYSTEM", "VERSIONING"):  # MariaDB
        return
    if cursor.accept("PARTITION"):
        _to_the_end(cursor)
        return
    if _key_or_constraint(cursor, draft, []):
        return
    cursor.accept("COLUMN")
    keep = cursor.accept("IF", "NOT", "EXISTS")
    if cursor.at_sign("("):
        create_definitions(cursor, draft)
    elif keep and (token := cursor.peek()) is not None and draft.before(unquote_name(token)) is not None:
        cursor.skip_until_comma()
    else:
        _place(cursor, draft, add_column(cursor, draft))


def _place(cursor: Cursor, draft: TableDraft, name: str) -> None:
    """`FIRST` or `AFTER column`. A column that is gone by now leaves it where it stands."""
    if cursor.accept("FIRST"):
        draft.move(name, None)
    elif cursor.accept("AFTER"):
        draft.move(name, cursor.name())


def _drop(cursor: Cursor, draft: TableDraft) -> None:
    if cursor.accept("PRIMARY", "KEY"):
        draft.no_key()
    elif cursor.accept("SYSTEM", "VERSIONING"):  # MariaDB
        return
    elif cursor.accept("PARTITION"):
        _to_the_end(cursor)
    elif any(cursor.at(word) for word in ("KEY", "INDEX", "FOREIGN", "CONSTRAINT", "CHECK")):
        cursor.skip_until_comma()
    else:
        cursor.accept("COLUMN")
        cursor.accept("IF", "EXISTS")
        draft.remove(cursor.name())
        cursor.accept_any("RESTRICT", "CASCADE")


def _modify(cursor: Cursor, draft: TableDraft, *, missing: bool) -> None:
    """`missing`: the column may be."""
    name = cursor.name()
    column = draft.before(name)
    if column is None and missing:
        cursor.skip_until_comma()
        return
    if column is None:
        raise DecodeError(f"table {draft.id} has no column {name!r} to modify; known are {draft.names}")
    _redefine(cursor, draft, name, name, None)


def _change(cursor: Cursor, draft: TableDraft, *, missing: bool) -> None:
    old, new = cursor.name(), cursor.name()
    if (previous := draft.before(old)) is not None:
        _redefine(cursor, draft, old, new, previous)
    elif (previous := draft.before(new)) is not None:  # so when the text is read again
        _redefine(cursor, draft, new, new, previous)
    elif missing:
        cursor.skip_until_comma()
    else:
        raise DecodeError(f"table {draft.id} has no column {old!r} to change; known are {draft.names}")


def _redefine(cursor: Cursor, draft: TableDraft, old: str, new: str, previous: Column | None) -> None:
    found = definition(cursor, new, comments=draft.comments, previous=previous)
    draft.replace(old, found.column)
    _key_of(draft, new, found)
    _place(cursor, draft, new)


def _rename(cursor: Cursor, draft: TableDraft, table_id: Callable[[Cursor], TableId]) -> None:
    if cursor.accept("COLUMN"):
        cursor.accept("IF", "EXISTS")
        column = draft.before(old := cursor.name())
        cursor.expect("TO")
        new = cursor.name()
        if column is not None:
            draft.replace(old, replace(column, name=new))
    elif cursor.accept_any("INDEX", "KEY"):
        cursor.skip_until_comma()
    else:
        cursor.accept_any("TO", "AS")
        cursor.accept_sign("=")
        draft.id = table_id(cursor)


def _alter_column(cursor: Cursor, draft: TableDraft) -> None:
    if any(cursor.at(word) for word in ("INDEX", "KEY", "CHECK", "CONSTRAINT")):
        cursor.skip_until_comma()
        return
    cursor.accept("COLUMN")
    column = draft.before(name := cursor.name())
    if cursor.accept("SET", "DEFAULT"):
        if column is not None:
            draft.replace(name, default_of(cursor, column))
    elif cursor.accept("DROP", "DEFAULT"):
        if column is not None:
            draft.replace(name, replace(column, default=None, has_default=column.optional))
    else:
        cursor.expect("SET")
        cursor.expect_any("VISIBLE", "INVISIBLE")
    cursor.skip_until_comma()


def _convert(cursor: Cursor, draft: TableDraft, default: str | None) -> None:
    if not (cursor.accept("CHARACTER", "SET") or cursor.accept("CHAR", "SET")):
        cursor.expect("CHARSET")
    charset: str | None = cursor.word_or_string()
    if charset is not None and charset.upper() == "DEFAULT":
        charset = default
    _collation_after(cursor)
    draft.convert(charset)
