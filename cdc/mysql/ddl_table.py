"""Table definitions and ALTER TABLE clauses, applied to a draft of one table.

Source: MySQL's manual, "CREATE TABLE Statement" and "ALTER TABLE Statement".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from cdc.mysql.ddl_columns import TEXT_TYPES, charset_of, check, default_of, definition, references, required
from cdc.mysql.ddl_tokens import Cursor, TokenKind
from cdc.table import Column, Table, TableId


class TableDraft:
    """A table being made or altered."""

    def __init__(self, id: TableId, *, comments: bool) -> None:
        self.id = id
        self.columns: list[Column] = []
        self.primary_key: list[str] = []
        self.charset: str | None = None
        self.comment: str | None = None
        self.comments = comments

    @classmethod
    def of(cls, table: Table, *, comments: bool) -> TableDraft:
        draft = cls(table.id, comments=comments)
        draft.columns, draft.primary_key = list(table.columns), list(table.primary_key)
        draft.charset, draft.comment = table.charset, table.comment
        return draft

    def table(self) -> Table:
        """The table, positions counted anew, text columns without a character set given the table's."""
        columns = []
        for position, column in enumerate(self.columns, 1):
            charset = column.charset or (self.charset if column.jdbc_type in TEXT_TYPES else None)
            columns.append(replace(column, position=position, charset=charset))
        key = [found.name for name in self.primary_key if (found := self.find(name)) is not None]
        return Table(
            id=self.id, columns=tuple(columns), primary_key=tuple(key), charset=self.charset, comment=self.comment
        )

    def index(self, name: str) -> int | None:
        folded = name.lower()
        return next((at for at, column in enumerate(self.columns) if column.name.lower() == folded), None)

    def find(self, name: str) -> Column | None:
        at = self.index(name)
        return None if at is None else self.columns[at]

    def knows(self, names: Sequence[str | None]) -> bool:
        """All are columns; an index on an expression has None instead of a name."""
        return bool(names) and all(name is not None and self.find(name) is not None for name in names)

    def put(self, column: Column) -> None:
        """Adds a column at the end, or replaces the one of the same name where it stands."""
        at = self.index(column.name)
        if at is None:
            self.columns.append(column)
        else:
            self.columns[at] = column

    def remove(self, name: str) -> None:
        at = self.index(name)
        if at is not None:
            del self.columns[at]
        self.primary_key = [key for key in self.primary_key if key.lower() != name.lower()]

    def rename(self, old: str, new: str) -> None:
        at = self.index(old)
        if at is not None:
            self.columns[at] = replace(self.columns[at], name=new)
            self.primary_key = [new if key.lower() == old.lower() else key for key in self.primary_key]

    def primary(self, names: Sequence[str | None]) -> None:
        """Makes these the key; a column of a primary key is never null."""
        self.primary_key = [name for name in names if name is not None]
        for name in self.primary_key:
            at = self.index(name)
            if at is not None:
                self.columns[at] = required(self.columns[at])

    def unique(self, names: Sequence[str | None]) -> None:
        """A unique index serves as the key when there is none yet and none of its columns may be null."""
        found = [self.find(name) for name in names if name is not None]
        if (
            not self.primary_key
            and self.knows(names)
            and not any(column is None or column.optional for column in found)
        ):
            self.primary_key = [column.name for column in found if column is not None]


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
    for names in late:  # a primary key may be named before its columns
        draft.primary(names)


def add_column(cursor: Cursor, draft: TableDraft) -> str:
    """`name definition`. Returns: the name."""
    name = cursor.name()
    while cursor.accept_sign("."):  # `table.column`
        name = cursor.name()
    found = definition(cursor, name, comments=draft.comments)
    draft.put(found.column)
    if found.primary:
        draft.primary([name])
    elif found.unique and not draft.primary_key:  # even when it may be null: so does Debezium
        draft.primary_key = [name]
    return name


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
    """Takes an option that changes the character set or the comment."""
    default = cursor.accept("DEFAULT")
    if cursor.accept("CHARACTER", "SET") or cursor.accept("CHARSET") or cursor.accept("CHAR", "SET"):
        cursor.accept_sign("=")
        charset = cursor.word_or_string()
        draft.charset = None if charset.upper() == "DEFAULT" else charset
        _collation_after(cursor)
    elif cursor.accept("COLLATE"):
        cursor.accept_sign("=")
        draft.charset = charset_of(cursor.word_or_string())
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
        cursor.accept("IF", "EXISTS")
        _modify(cursor, draft)
    elif cursor.accept("CHANGE"):
        cursor.accept("COLUMN")
        cursor.accept("IF", "EXISTS")
        _change(cursor, draft)
    elif cursor.accept("RENAME"):
        _rename(cursor, draft, table_id)
    elif cursor.accept("ALTER"):
        _alter_column(cursor, draft)
    elif cursor.accept("CONVERT", "TO"):
        _convert(cursor, draft, charset)
    elif not table_option(cursor, draft):
        _passed_over(cursor)


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
    if cursor.accept("PARTITION"):
        _to_the_end(cursor)
        return
    if _key_or_constraint(cursor, draft, []):
        return
    cursor.accept("COLUMN")
    cursor.accept("IF", "NOT", "EXISTS")
    if cursor.at_sign("("):
        create_definitions(cursor, draft)
    else:
        _place(cursor, draft, add_column(cursor, draft))


def _place(cursor: Cursor, draft: TableDraft, name: str) -> None:
    """`FIRST` or `AFTER column`. A column that is gone by now leaves it where it stands."""
    at = draft.index(name)
    if at is None:
        return
    if cursor.accept("FIRST"):
        draft.columns.insert(0, draft.columns.pop(at))
    elif cursor.accept("AFTER"):
        after = cursor.name()
        if draft.index(after) is not None and after.lower() != name.lower():
            column = draft.columns.pop(at)
            draft.columns.insert((draft.index(after) or 0) + 1, column)


def _drop(cursor: Cursor, draft: TableDraft) -> None:
    if cursor.accept("PRIMARY", "KEY"):
        draft.primary_key = []
    elif cursor.accept("PARTITION"):
        _to_the_end(cursor)
    elif any(cursor.at(word) for word in ("KEY", "INDEX", "FOREIGN", "CONSTRAINT", "CHECK")):
        cursor.skip_until_comma()
    else:
        cursor.accept("COLUMN")
        cursor.accept("IF", "EXISTS")
        draft.remove(cursor.name())
        cursor.accept_any("RESTRICT", "CASCADE")


def _modify(cursor: Cursor, draft: TableDraft) -> None:
    name = cursor.name()
    if draft.find(name) is None:
        raise cursor.error(f"table {draft.id} has no column {name!r} to modify; known are {_names(draft)}; then")
    _redefine(cursor, draft, name, name, None)


def _change(cursor: Cursor, draft: TableDraft) -> None:
    old, new = cursor.name(), cursor.name()
    previous = draft.find(old) or draft.find(new)  # it has the new name already when the text is read again
    if previous is None:
        raise cursor.error(f"table {draft.id} has no column {old!r} to change; known are {_names(draft)}; then")
    _redefine(cursor, draft, previous.name, new, previous)


def _redefine(cursor: Cursor, draft: TableDraft, old: str, new: str, previous: Column | None) -> None:
    found = definition(cursor, old, comments=draft.comments, previous=previous)
    draft.put(found.column)
    if found.primary:
        draft.primary([old])
    elif found.unique and not draft.primary_key:
        draft.primary_key = [old]
    draft.rename(old, new)
    _place(cursor, draft, new)


def _names(draft: TableDraft) -> str:
    return ", ".join(column.name for column in draft.columns)


def _rename(cursor: Cursor, draft: TableDraft, table_id: Callable[[Cursor], TableId]) -> None:
    if cursor.accept("COLUMN"):
        cursor.accept("IF", "EXISTS")
        old = cursor.name()
        cursor.expect("TO")
        draft.rename(old, cursor.name())
    elif cursor.accept_any("INDEX", "KEY"):
        cursor.skip_until_comma()
    else:
        cursor.accept_any("TO", "AS")
        cursor.accept_sign("=")
        draft.id = table_id(cursor)


def _alter_column(cursor: Cursor, draft: TableDraft) -> None:
    if any(cursor.at(word) for word in ("INDEX", "CHECK", "CONSTRAINT")):
        cursor.skip_until_comma()
        return
    cursor.accept("COLUMN")
    at = draft.index(cursor.name())
    if cursor.accept("SET", "DEFAULT"):
        if at is not None:
            draft.columns[at] = default_of(cursor, draft.columns[at])
    elif cursor.accept("DROP", "DEFAULT"):
        if at is not None:
            draft.columns[at] = replace(draft.columns[at], default=None, has_default=draft.columns[at].optional)
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
    draft.charset = charset
    draft.columns = [column if column.charset is None else replace(column, charset=charset) for column in draft.columns]
