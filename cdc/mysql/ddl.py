"""DDL text to table changes: a catalog of tables, changed by statements as MySQL and Debezium's parser read them.

A statement that cannot be understood is reported with the tables it names; one that changes no table never is.
Source: MySQL's manual, "Data Definition Statements"; Debezium 3.5.0.Final for what is reported of which statement.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from cdc.errors import DecodeError
from cdc.mysql.ddl_columns import UNSAID, charset_of, said
from cdc.mysql.ddl_table import TableDraft, alter, create_definitions, index_columns, table_options
from cdc.mysql.ddl_tokens import Cursor, Token, TokenKind, statements, text_of, tokenize, unquote_name
from cdc.mysql.schema_change import Kind, TableChange
from cdc.table import Table, TableId


class Effect(NamedTuple):
    """What one statement did, as Debezium reports it.

    Attributes:
        ddl: the statement's text; a DROP or RENAME of several tables gives one effect with its own text each.
        table: the table it is about, None for a statement on a database.
        table_changes: empty for a TRUNCATE and for statements on databases.
    """

    kind: Kind
    database: str
    ddl: str
    table: TableId | None = None
    table_changes: tuple[TableChange, ...] = ()


class Unparseable(NamedTuple):
    """A statement that cannot be understood, the tables it may be about, and why. It changed nothing."""

    statement: str
    tables: tuple[TableId, ...]
    reason: str


class Catalog:
    """Tables and default character sets of a server, as its statements make them.

    Attributes:
        tables: replaced, never mutated, by `execute`; its owner may change it too.
        captured: whether the connector captures a table: a UNIQUE INDEX of another one is not looked at (Debezium).
        server_charset: set by `SET character_set_server`, which a snapshot records first.
        comments: keep comments of columns and tables.
        fold_names: the server has lower_case_table_names=1.
    """

    def __init__(self, *, comments: bool = False, fold_names: bool = False) -> None:
        self.tables: dict[TableId, Table] = {}
        self.database_charsets: dict[str, str] = {}
        self.server_charset: str | None = None
        self.captured: Callable[[TableId], bool] = lambda id: True
        self.comments = comments
        self.fold_names = fold_names

    def copy(self) -> Catalog:
        """One that can be changed without changing this one."""
        other = Catalog(comments=self.comments, fold_names=self.fold_names)
        other.tables = dict(self.tables)
        other.database_charsets = dict(self.database_charsets)
        other.server_charset, other.captured = self.server_charset, self.captured
        return other

    def execute(
        self, sql: str, database: str, refuse: Callable[[Unparseable], None] = lambda error: None, sql_mode: int = 0
    ) -> list[Effect] | None:
        """Applies a text of one or more statements.

        Args:
            database: the default database of names without one; USE changes it for what follows.
            refuse: told of each statement that cannot be understood; raises, or returns to have it skipped.
            sql_mode: the session's, as bits; 0 when it is not known.
        Returns: what the statements did; empty when they are DDL that changes no table; None when nothing of the
            text is to be recorded (transactions, row changes, rights, views, stored programs).
        """
        found: list[Effect] | None = None
        run = _Run(self, sql, self.database_of(database))
        for statement in statements(tokenize(sql, sql_mode)):
            try:
                effects = run.statement(statement)
            except DecodeError as error:
                effects = []
                refuse(Unparseable(text_of(sql, statement), run.named(statement), str(error)))
            if effects is not None:
                found = (found or []) + effects
        return found

    def charset_for(self, database: str) -> str | None:
        """The default character set of a new table."""
        return self.database_charsets.get(database) or self.server_charset

    def id_of(self, database: str, name: str) -> TableId:
        return TableId(self.database_of(database), name.lower() if self.fold_names else name)

    def database_of(self, name: str) -> str:
        return name.lower() if self.fold_names else name


_NO_DDL = """
    BEGIN COMMIT ROLLBACK END XA SAVEPOINT RELEASE INSERT UPDATE DELETE REPLACE LOAD SELECT GRANT REVOKE ANALYZE
    OPTIMIZE REPAIR"""
_NOT_RECORDED: Final = frozenset(_NO_DDL.split())
_NOT_RECORDED_OBJECTS: Final = frozenset({"USER", "ROLE", "VIEW", "FUNCTION", "PROCEDURE", "TRIGGER"})
_BEFORE_OBJECT: Final = frozenset({"TEMPORARY", "UNIQUE", "FULLTEXT", "SPATIAL", "ONLINE", "OFFLINE", "IGNORE"})


class _Run:
    """The statements of one text."""

    def __init__(self, catalog: Catalog, sql: str, database: str) -> None:
        self._catalog = catalog
        self._sql = sql
        self._database = database
        self._begin = 0

    def statement(self, tokens: Sequence[Token]) -> list[Effect] | None:
        if len(tokens) > 2 and [token.upper for token in tokens[-2:]] == ["START", "TRANSACTION"]:
            tokens = tokens[:-2]  # the log adds it to CREATE TABLE ... SELECT; Debezium leaves it out
        cursor = Cursor(tokens)
        if cursor.accept("SET", "STATEMENT"):  # MariaDB: SET STATEMENT variable=value FOR statement
            while not cursor.accept("FOR"):
                cursor.take()
            tokens = tokens[cursor.mark() :]
        head = cursor.take().upper
        text = text_of(self._sql, tokens)
        self._begin = next((token.start for token in tokens if not token.versioned), tokens[0].start)
        if head in _NOT_RECORDED or (head == "FLUSH" and (cursor.at("RELAY") or cursor.at("PRIVILEGES"))):
            return None
        if head in ("CREATE", "ALTER", "DROP"):
            return self._on_object(head, cursor, text)
        if head == "RENAME":
            return self._rename(cursor, text) if cursor.accept_any("TABLE", "TABLES") else []
        if head == "TRUNCATE":
            cursor.accept("TABLE")
            id = self._table_id(cursor)
            return [Effect(Kind.TRUNCATE, id.database, text, id)]
        if head == "USE":
            self._database = self._catalog.database_of(cursor.name())
            return [Effect(Kind.DATABASE, self._database, text)]
        return self._set(cursor, text) if head == "SET" else []

    def named(self, tokens: Sequence[Token]) -> tuple[TableId, ...]:
        """The tables that a statement on tables may be about: those it names first, or else every known one in it."""
        cursor = Cursor(tokens)
        words = [token.upper for token in tokens[:8]]
        if not words or words[0] not in ("CREATE", "ALTER", "DROP", "RENAME"):
            return ()
        objects = [at for at, word in enumerate(words) if word in ("TABLE", "TABLES", "INDEX")]
        if not objects or not _NOT_RECORDED_OBJECTS.isdisjoint(words[1 : objects[0]]):
            return ()
        for _ in range(objects[0] + 1):
            cursor.take()
        if words[0] in ("CREATE", "ALTER") and words[objects[0]] == "TABLE":
            self._exists(cursor)
            try:
                return (self._table_id(cursor),)
            except DecodeError:
                pass
        names = {unquote_name(t).lower() for t in tokens if t.kind in (TokenKind.WORD, TokenKind.NAME)}
        return tuple(id for id in self._catalog.tables if id.name.lower() in names)

    def _charset_for(self, database: str) -> str | None:
        """The default of a new table; of a database that the history does not know, that of the current one."""
        known = database in self._catalog.database_charsets
        return self._catalog.charset_for(database if known else self._database)

    # Names

    def _table_id(self, cursor: Cursor) -> TableId:
        if cursor.accept_sign("."):  # `.name` is `name`
            return self._catalog.id_of(self._database, cursor.name())
        name = cursor.name()
        if cursor.accept_sign("."):
            return self._catalog.id_of(name, cursor.name())
        return self._catalog.id_of(self._database, name)

    @staticmethod
    def _exists(cursor: Cursor) -> bool:
        return cursor.accept("IF", "NOT", "EXISTS") or cursor.accept("IF", "EXISTS")

    def _before(self, cursor: Cursor) -> str:
        """The statement's text up to where the cursor is."""
        token = cursor.peek()
        return self._sql[self._begin : token.start] if token is not None else ""

    # CREATE, ALTER, DROP

    def _on_object(self, head: str, cursor: Cursor, text: str) -> list[Effect] | None:
        start = cursor.peek()
        kind = self._object(cursor)
        if kind in _NOT_RECORDED_OBJECTS or start is None:
            return None
        if kind in ("DATABASE", "SCHEMA"):
            return self._on_database(head, cursor, text)
        if kind == "TABLE" and start.upper == "TEMPORARY":
            return None
        if kind in ("TABLE", "TABLES"):
            on_table = {"CREATE": self._create, "ALTER": self._alter, "DROP": self._drop}[head]
            return on_table(cursor, text)
        if kind == "INDEX" and head == "CREATE" and start.upper == "UNIQUE":
            return self._unique_index(cursor, text)
        return []

    @staticmethod
    def _object(cursor: Cursor) -> str:
        """The word for what is created, past modifiers such as OR REPLACE, DEFINER, ALGORITHM, SQL SECURITY."""
        while True:
            if cursor.accept("OR", "REPLACE") or cursor.accept_any(*_BEFORE_OBJECT, "AGGREGATE", "UNDO"):
                continue
            if cursor.accept_any("DEFINER", "ALGORITHM"):
                cursor.accept_sign("=")
                cursor.take()
                cursor.skip_parens()
                if cursor.accept_sign("@"):
                    cursor.take()
            elif cursor.accept("SQL", "SECURITY"):
                cursor.take()
            else:
                return "" if cursor.done else cursor.take().upper

    def _on_database(self, head: str, cursor: Cursor, text: str) -> list[Effect]:
        self._exists(cursor)
        options = ("CHARACTER", "CHARSET", "COLLATE", "DEFAULT", "ENCRYPTION", "READ")
        named = cursor.at_name() and not any(cursor.at(word) for word in options)
        database = self._catalog.database_of(cursor.name()) if named else self._database
        charsets = self._catalog.database_charsets
        if head == "DROP":
            charsets.pop(database, None)
            for id in [id for id in self._catalog.tables if id.database == database]:
                del self._catalog.tables[id]
            return [Effect(Kind.DATABASE, database, text)]
        charset = _database_charset(cursor)
        if charset is not None and charset.upper() == "DEFAULT":
            charset = self._catalog.server_charset
        if charset == UNSAID:
            charset = said(charset, self._catalog.server_charset)
        if charset is not None:
            charsets[database] = charset
        return [Effect(Kind.DATABASE, database, text)] if head == "CREATE" else []

    def _create(self, cursor: Cursor, text: str) -> list[Effect]:
        keep = cursor.accept("IF", "NOT", "EXISTS")
        id = self._table_id(cursor)
        if keep and id in self._catalog.tables:
            return []
        like = cursor.accept("LIKE")
        if like or (cursor.at_sign("(") and (word := cursor.peek(1)) is not None and word.upper == "LIKE"):
            return self._create_like(cursor, id, text, in_parens=not like)
        if not cursor.at_sign("("):
            raise cursor.error("the columns come from a query; expected a list of columns")
        draft = TableDraft(id, comments=self._catalog.comments)
        create_definitions(cursor, draft)
        table_options(cursor, draft)
        draft.charset = said(draft.charset, self._charset_for(id.database))
        return [self._put(Kind.CREATE, draft.table(), text)]

    def _create_like(self, cursor: Cursor, id: TableId, text: str, *, in_parens: bool) -> list[Effect]:
        if in_parens:
            cursor.expect_sign("(")
            cursor.expect("LIKE")
        original = self._catalog.tables.get(self._table_id(cursor))
        return [] if original is None else [self._put(Kind.CREATE, replace(original, id=id, comment=None), text)]

    def _alter(self, cursor: Cursor, text: str) -> list[Effect]:
        self._exists(cursor)
        id = self._table_id(cursor)
        table = self._catalog.tables.get(id)
        if table is None:
            return []
        draft = TableDraft.of(table, comments=self._catalog.comments)
        alter(cursor, draft, self._table_id, self._charset_for(id.database))
        if draft.charset == UNSAID:
            draft.charset = said(UNSAID, self._charset_for(id.database))
        if draft.id != id:
            del self._catalog.tables[id]
        return [self._put(Kind.ALTER, draft.table(), text)]

    def _put(self, kind: Kind, table: Table, text: str, previous: TableId | None = None) -> Effect:
        self._catalog.tables[table.id] = table
        change = TableChange(kind, table.id, table, previous)
        return Effect(kind, table.id.database, text, table.id, (change,))

    def _drop(self, cursor: Cursor, text: str) -> list[Effect]:
        self._exists(cursor)
        prefix = self._before(cursor)
        ids = [self._table_id(cursor)]
        while cursor.accept_sign(","):
            ids.append(self._table_id(cursor))
        how = cursor.accept_any("RESTRICT", "CASCADE")
        for id in ids:
            self._catalog.tables.pop(id, None)
        return [
            Effect(
                Kind.DROP,
                id.database,
                prefix + ".".join("`" + part.replace("`", "``") + "`" for part in id) + (f" {how}" if how else ""),
                id,
                (TableChange(Kind.DROP, id),),
            )
            for id in ids
        ]

    def _rename(self, cursor: Cursor, text: str) -> list[Effect]:
        self._exists(cursor)
        prefix = self._before(cursor)
        clauses: list[tuple[TableId, TableId, str]] = []
        while not clauses or cursor.accept_sign(","):
            mark = cursor.mark()
            old = self._table_id(cursor)
            _waiting(cursor)
            cursor.expect("TO")
            new = self._table_id(cursor)
            clauses.append((old, new, prefix + text_of(self._sql, cursor.since(mark))))
        effects = [effect for clause in clauses for effect in self._renamed(*clause)]
        return [self._without_gone(effect) for effect in effects]

    def _without_gone(self, effect: Effect) -> Effect:
        """A table that a later clause of the same statement renames again is not told of (Debezium)."""
        told = tuple(change for change in effect.table_changes if change.id in self._catalog.tables)
        return effect._replace(table_changes=told)

    def _renamed(self, old: TableId, new: TableId, text: str) -> list[Effect]:
        table = self._catalog.tables.pop(old, None)
        if table is None:
            return [Effect(Kind.ALTER, new.database, text, new)]
        return [self._put(Kind.ALTER, replace(table, id=new), text, old)]

    def _unique_index(self, cursor: Cursor, text: str) -> list[Effect]:
        cursor.name()
        while not cursor.accept("ON"):
            cursor.take()
        table = self._catalog.tables.get(self._table_id(cursor))
        if table is None or not self._catalog.captured(table.id):
            return []
        draft = TableDraft.of(table, comments=self._catalog.comments)
        considered = draft.unique(index_columns(cursor))
        return [self._put(Kind.ALTER, draft.table(), text)] if considered else []

    # SET

    def _set(self, cursor: Cursor, text: str) -> list[Effect]:
        """Only default character sets matter; a statement that sets system variables is one effect."""
        known = False
        while not cursor.done:
            assigned = _assignment(cursor)
            if assigned is not None:
                known = True
                variable, value = assigned
                if variable == "character_set_server":
                    self._catalog.server_charset = value
                elif variable == "character_set_database" and self._database:
                    self._catalog.database_charsets[self._database] = value
            cursor.skip_until_comma()
            cursor.accept_sign(",")
        return [Effect(Kind.DATABASE, self._database, text)] if known else []


def _waiting(cursor: Cursor) -> None:
    """MariaDB: how long a statement waits for other sessions."""
    if cursor.accept("WAIT"):
        cursor.number()
    else:
        cursor.accept("NOWAIT")


_SCOPES: Final = ("GLOBAL", "SESSION", "LOCAL", "PERSIST", "PERSIST_ONLY")


def _assignment(cursor: Cursor) -> tuple[str, str] | None:
    """The variable and its value of `[GLOBAL] variable = value` or `@@global.variable = value`; else None."""
    if cursor.accept_sign("@"):
        if not cursor.accept_sign("@"):
            return None  # a user variable
        if cursor.accept_any(*_SCOPES):
            cursor.accept_sign(".")
    else:
        cursor.accept_any(*_SCOPES)
    if not cursor.at_name():
        return None
    variable = cursor.name().lower()
    cursor.accept_sign(":")
    return (variable, cursor.take().text.strip("'\"`")) if cursor.accept_sign("=") else None


def _database_charset(cursor: Cursor) -> str | None:
    """From the options of CREATE and ALTER DATABASE; a collation implies its character set."""
    charset = collation = None
    while not cursor.done:
        if cursor.accept("CHARACTER", "SET") or cursor.accept("CHARSET") or cursor.accept("CHAR", "SET"):
            cursor.accept_sign("=")
            charset = cursor.word_or_string()
        elif cursor.accept("COLLATE"):
            cursor.accept_sign("=")
            collation = cursor.word_or_string()
        else:
            cursor.take()
    return charset or (None if collation is None else charset_of(collation))
