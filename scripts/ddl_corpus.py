"""`python -m scripts.ddl_corpus FOLDER`: how many statements of a folder's .sql and .ddl files our parser understands.

A statement is understood when it gives the table change that it says, or is of a kind that changes no table. One that
the connector would merely pass over, because it can neither be read nor be named, counts as not understood.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import Enum
from pathlib import Path
from typing import Final

from cdc.mysql.ddl import Catalog, Unparseable
from cdc.mysql.ddl_tokens import Token, TokenKind, statements, tokenize, unquote_name
from cdc.mysql.schema_change import Kind
from cdc.table import Column, Table

_HEADS = """
    ANALYZE BEGIN BINLOG CACHE CALL CHANGE CHECK CHECKSUM CLONE COMMIT DEALLOCATE DELETE DESC DESCRIBE DO END EXECUTE
    EXPLAIN FLUSH GET GRANT HANDLER HELP IMPORT INSERT INSTALL KILL LOAD LOCK OPTIMIZE PREPARE PURGE RELEASE REPAIR
    REPLACE RESET RESIGNAL RESTART REVOKE ROLLBACK SAVEPOINT SELECT SET SHOW SHUTDOWN SIGNAL START STOP TABLE TRUNCATE
    UNINSTALL UNLOCK UPDATE USE VALUES WITH XA BACKUP"""
_OBJECTS = """
    DATABASE SCHEMA EVENT FUNCTION INDEX INSTANCE LOGFILE PROCEDURE RESOURCE ROLE SERVER TABLESPACE TRIGGER USER VIEW
    PACKAGE SEQUENCE PREPARE SPATIAL"""
_NO_TABLE: Final = frozenset(_HEADS.split())
_NO_TABLE_OBJECTS: Final = frozenset(_OBJECTS.split())
_OBJECT_WORDS: Final = _NO_TABLE_OBJECTS | {"TABLE", "TABLES"}
_DELIMITED: Final = re.compile(
    r"^[ \t]*(?:--[ \t]*|\#[ \t]*)?delimiter[ \t]+(?!;)(\S+)[ \t]*\n(.*?)^.*?delimiter[ \t]+;[ \t]*$",
    re.I | re.M | re.S,
)
_DATABASE: Final = "corpus"


class Verdict(Enum):
    """What came of a statement. The first three are understood."""

    CHANGE = "changes tables"
    NOTHING = "changes no table"
    QUERY = "columns of a query"
    REFUSED = "not understood"


def split(text: str) -> Iterator[str]:
    """The statements of a script, of which parts between `delimiter //` and `delimiter ;` are ended by that sign."""
    at = 0
    for match in _DELIMITED.finditer(text):
        yield from _split(text[at : match.start()])
        for part in match[2].split(match[1]):
            if tokenize(part):
                yield part
        at = match.end()
    yield from _split(text[at:])


def _split(text: str) -> Iterator[str]:
    for tokens in statements(tokenize(text)):
        for statement in _programs(tokens):
            yield text[
                text.rfind("/*", 0, statement[0].start) if statement[0].versioned else statement[0].start : statement[
                    -1
                ].end
            ]


def _programs(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """A stored program ends at the first semicolon outside of its blocks; in the log it stands alone."""
    first = depth = 0
    for at, token in enumerate(tokens):
        ends = at > 0 and tokens[at - 1].upper == "END"
        if token.upper == "END":
            following = tokens[at + 1].upper if at + 1 < len(tokens) else ""
            depth -= following not in ("IF", "LOOP", "REPEAT", "WHILE")
        elif token.upper in ("BEGIN", "CASE") and not ends:
            depth += 1
        elif token.text == ";" and depth <= 0:
            yield from ([tokens[first:at]] if at > first else ())
            first, depth = at + 1, 0
    yield from ([tokens[first:]] if first < len(tokens) else ())


def judge(catalog: Catalog, sql: str) -> tuple[Verdict, str]:
    """What the parser makes of one statement, and why."""
    refusals: list[Unparseable] = []
    tokens = tokenize(sql)
    stand_in = _stand_in(catalog, tokens)
    if stand_in is not None:
        catalog.tables[stand_in.id] = stand_in
    effects = catalog.execute(sql, _DATABASE, refusals.append)
    if refusals:
        of_query = "from a query" in refusals[0].reason
        return (Verdict.QUERY if of_query else Verdict.REFUSED), refusals[0].reason
    if any(effect.table_changes or effect.kind is Kind.ALTER for effect in effects or ()):
        return Verdict.CHANGE, ""
    reason = _why_none(tokens)
    return (Verdict.REFUSED, reason) if reason else (Verdict.NOTHING, "")


def _why_none(tokens: Sequence[Token]) -> str:
    """Why a statement without a table change is not one of those that have none; empty when it is."""
    words = [token.upper for token in tokens if token.text != "("]
    if not words or words[0] in _NO_TABLE or (words[0] == "RENAME" and words[1] == "USER"):
        return ""
    if words[0] not in ("CREATE", "ALTER", "DROP", "RENAME"):
        return f"unknown statement {words[0] or tokens[0].text}"
    objects = [word for word in words[1:] if word in _OBJECT_WORDS]
    if not objects:
        return f"unknown object of {words[0]}"
    is_known = objects[0] in _NO_TABLE_OBJECTS or "TEMPORARY" in words[:4] or "LIKE" in words or "EXISTS" in words[:6]
    return "" if is_known else f"{words[0]} {objects[0]} without a change"


def _stand_in(catalog: Catalog, tokens: Sequence[Token]) -> Table | None:
    """The table of an ALTER with every name in the statement as a column: scripts alter tables they did not make."""
    words = [token.upper for token in tokens]
    if not words or words[0] != "ALTER" or "TABLE" not in words[:5]:
        return None
    names = [unquote_name(t) for t in tokens[words.index("TABLE") + 1 :] if t.kind in (TokenKind.WORD, TokenKind.NAME)]
    while names and names[0].upper() in ("IF", "NOT", "EXISTS"):
        del names[0]
    after = [token.text for token in tokens[words.index("TABLE") + 1 :]]
    qualified = len(names) > 1 and "." in after[:5]
    id = catalog.id_of(names[0], names[1]) if qualified else catalog.id_of(_DATABASE, names[0])
    known = catalog.tables.get(id) or Table(id=id, columns=())
    lacking = {name.lower(): name for name in names if known.column(name) is None}.values()
    columns = [Column(name=name, position=1, type_name="INT", type_expression="INT", jdbc_type=4) for name in lacking]
    return replace(known, columns=(*known.columns, *columns))


def check(file: Path, *, tell: bool) -> dict[Verdict, int]:
    """The figures of one file, with its refused statements on standard output."""
    catalog = Catalog()
    found = dict.fromkeys(Verdict, 0)
    for sql in split(file.read_text("utf-8", "replace")):
        verdict, reason = judge(catalog, sql)
        found[verdict] += 1
        if tell and verdict is Verdict.REFUSED:
            print(f"    {reason}: {' '.join(sql.split())[:200]}")
    return found


def main(folder: Path, *, tell: bool) -> int:
    total = dict.fromkeys(Verdict, 0)
    print(" ".join(f"{verdict.value:>20}" for verdict in Verdict), " file")
    for file in sorted(path for path in folder.rglob("*") if path.suffix in (".sql", ".ddl")):
        found = check(file, tell=tell)
        print(" ".join(f"{count:>20}" for count in found.values()), "", file.relative_to(folder))
        total = {verdict: total[verdict] + count for verdict, count in found.items()}
    everything = sum(total.values())
    understood = everything - total[Verdict.REFUSED]
    print(" ".join(f"{count:>20}" for count in total.values()), f" {everything} statements")
    print(f"understood: {understood} of {everything}, {100 * understood / max(everything, 1):.2f}%")
    return 0 if understood >= 0.995 * everything else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), tell="--quiet" not in sys.argv))
