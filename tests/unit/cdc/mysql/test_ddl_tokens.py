"""MySQL text to tokens and statements."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.mysql.ddl_tokens import Cursor, TokenKind, statements, text_of, tokenize


def texts(sql: str) -> list[str]:
    return [token.text for token in tokenize(sql)]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("a -- rest\nb", ["a", "b"]),
        ("a--b", ["a", "-", "-", "b"]),
        ("a # rest\nb", ["a", "b"]),
        ("a /* x ; */ b", ["a", "b"]),
        ("a /*+ hint */ b", ["a", "b"]),
        ("a /* never closed", ["a"]),
        ("`a``b` 'it''s' 'it\\'s' \"d\"\"q\"", ["`a``b`", "'it''s'", "'it\\'s'", '"d""q"']),
        (
            "1 1.5 .5 1e3 0x1F b'101' x'1f' N'x' 0b11",
            ["1", "1.5", ".5", "1e3", "0x1F", "b'101'", "x'1f'", "N'x'", "0b11"],
        ),
        ("db.1st t.2 2nd", ["db", ".", "1st", "t", ".", "2", "2nd"]),
        ("größe 表 a$b", ["größe", "表", "a$b"]),
        ("(a,b);", ["(", "a", ",", "b", ")", ";"]),
        ("'never closed", ["'", "never", "closed"]),
    ],
)
def test_comments_go_and_literals_stay_whole(sql: str, expected: list[str]) -> None:
    assert texts(sql) == expected


ANSI_QUOTES, NO_BACKSLASH_ESCAPES = 1 << 2, 1 << 20


@pytest.mark.parametrize(
    ("sql_mode", "sql", "expected"),
    [
        (0, r"""'a\' "b\" c""", ["'", "a", "\\", "'", '"', "b", "\\", '"', "c"]),
        (NO_BACKSLASH_ESCAPES, r"""'a\' "b\" N'\' c""", [r"'a\'", r'"b\"', r"N'\'", "c"]),
        (ANSI_QUOTES, r"""'a\'b' "c""d" e""", [r"'a\'b'", '"c""d"', "e"]),
        (ANSI_QUOTES | NO_BACKSLASH_ESCAPES, r"""'a\' "b\" """, [r"'a\'", r'"b\"']),
    ],
)
def test_the_sql_mode_of_the_session_tells_what_a_quote_and_a_backslash_mean(
    sql_mode: int, sql: str, expected: list[str]
) -> None:
    tokens = tokenize(sql, sql_mode)
    assert [token.text for token in tokens] == expected
    kinds = {token.kind for token in tokens if token.text[0] == '"' and len(token.text) > 1}
    assert kinds <= {TokenKind.NAME if sql_mode & ANSI_QUOTES else TokenKind.STRING}


def test_the_content_of_a_versioned_comment_is_code() -> None:
    tokens = tokenize("CREATE /*!80013 TEMPORARY */ TABLE /*! x */ t /*!99999 not for us */")
    assert [token.text for token in tokens] == ["CREATE", "TEMPORARY", "TABLE", "x", "t"]
    assert [token.text for token in tokens if token.versioned] == ["TEMPORARY", "x"]


def test_a_statement_ends_at_a_semicolon_outside_of_strings_and_comments() -> None:
    sql = "SET a=';' ; /* ; */ DROP TABLE t -- ;\n;; USE b"
    assert [text_of(sql, statement) for statement in statements(tokenize(sql))] == [
        "SET a=';'",
        "DROP TABLE t",
        "USE b",
    ]


def test_the_body_of_a_stored_program_is_not_split() -> None:
    for body in ("SELECT 1; DROP TABLE t;", "DROP TABLE t; DROP TABLE u;"):
        sql = f"CREATE DEFINER=`a`@`b` PROCEDURE p() BEGIN {body} END"
        assert len(list(statements(tokenize(sql)))) == 1
    sql = "CREATE TABLE event (a INT); DROP TABLE function; ALTER TABLE t ADD event INT; DROP TABLE u"
    assert len(list(statements(tokenize(sql)))) == 4


def test_the_text_of_a_statement_is_without_what_surrounds_it() -> None:
    sql = "/* by me */ CREATE TABLE t (a INT)\n/*!50100 PARTITION BY HASH (a) */ ;"
    (statement,) = statements(tokenize(sql))
    assert text_of(sql, statement) == "CREATE TABLE t (a INT)"


def test_parentheses_are_taken_in_pairs() -> None:
    cursor = Cursor(tokenize("(a, (b), c) d"))
    assert "".join(token.text for token in cursor.parens()) == "a,(b),c"
    assert cursor.name() == "d"
    assert cursor.done


@given(st.text(max_size=200))
def test_any_text_becomes_tokens_in_order_that_hold_their_text(sql: str) -> None:
    end = 0
    for token in tokenize(sql):
        assert end <= token.start < token.end
        assert sql[token.start : token.end] == token.text
        end = token.end


@given(st.text(alphabet="'`\"\\/*!-#; a1.xb(),\n", max_size=80))
def test_text_made_of_quotes_and_comments_becomes_tokens(sql: str) -> None:
    for statement in statements(tokenize(sql)):
        assert text_of(sql, statement)


@given(st.text(min_size=1).map(lambda text: "`" + text.replace("`", "``") + "`"))
def test_a_name_in_backquotes_is_one_token(name: str) -> None:
    (token,) = tokenize(name)
    assert token.kind is TokenKind.NAME
