"""Ranges of a table that several sessions read: how they are cut, what is left of them, and what an offset keeps."""

from __future__ import annotations

import itertools
import random
from typing import Any

import pytest

from cdc.dialect import DIALECTS, TableName
from cdc.errors import RequestError
from cdc.jdbc.first_read import FirstRead, Range, begun, between, check_offsets, cut, partition
from cdc.jdbc.offset import Position
from cdc.jdbc.session import product
from cdc.jdbc.statements import BOTH, BULK, INCREMENTING, Select, of_table
from cdc.record import SourceOffset

TABLE = TableName("shop", None, "orders")
Row = tuple[int, str]


def number(row: Row) -> int:
    return row[0]


@pytest.mark.parametrize(("low", "high", "sessions", "least"), [(1, 100, 3, 4), (-50, 10**12, 8, 2000), (0, 9, 2, 4)])
def test_ranges_join_without_a_gap(low: int, high: int, sessions: int, least: int) -> None:
    cuts = cut(low, high, sessions, least)
    ranges = between(cuts, None, None)
    assert [each.upto for each in ranges[:-1]] == [each.after for each in ranges[1:]] == cuts
    assert (ranges[0].after, ranges[-1].upto) == (None, None)
    assert all(least <= upto - after for after, upto in itertools.pairwise([low, *cuts, high]))


def test_one_session_or_a_small_table_is_not_cut() -> None:
    assert cut(0, 10**6, 1, 10) == cut(0, 10, 4, 10) == cut(5, 5, 4, 1) == cut(3, -1, 4, 1) == []


def test_whatever_the_place_it_stops_at_no_row_is_lost_or_repeated() -> None:
    chance = random.Random(3)
    for _ in range(200):
        numbers = sorted(chance.randrange(30) for _ in range(chance.randrange(1, 60)))
        rows = [(each, f"row {at}") for at, each in enumerate(numbers)]
        part, sent, stops = Range(-1, 30), list[Row](), chance.randrange(6)
        while not part.ended:
            after = -1 if part.after is None else part.after
            left = [row for row in rows if after < row[0] <= 30]
            part = Range(part.after, part.upto)  # as an offset brings it back
            size = chance.randrange(1, 9)
            for at in range(0, len(left) + 1, size):
                sent += part.take(left[at : at + size], number, whole=at + size > len(left))
                if part.ended or (stops and chance.random() < 0.3):
                    stops -= not part.ended
                    break
        assert sent == rows


def test_so_many_rows_of_one_number_go_out_though_they_may_come_again() -> None:
    part = Range()
    assert part.take([(7, "a")] * 20_000, number, whole=False) == []
    assert len(part.take([(7, "b")], number, whole=False)) == 20_001
    assert (part.after, part.held) == (None, [])


def test_what_is_left_comes_back_from_its_offset() -> None:
    first = FirstRead(
        "incrementing id 0", 99, [Range(-1, 40, ended=True), Range(52, 70), Range(70, 99)], 53, Position(52, 7)
    )  # fmt: skip
    saved = first.offset(TABLE)
    assert saved.partition == {"protocol": "1", "snapshot": "shop.orders"} == partition(TABLE)
    assert all(isinstance(value, str | int) for value in (saved.offset or {}).values())
    back = begun([SourceOffset({"protocol": "1", "table": "shop.orders"}, {"incrementing": 1}), saved], TABLE)
    assert back == FirstRead(first.key, 99, first.ranges[1:], 53, Position(52, 7))
    assert begun([saved], TableName("shop", None, "others")) is None
    assert begun([saved], None) is None
    check_offsets({}, [saved, SourceOffset(saved.partition, None)])


@pytest.mark.parametrize("wrong", [{"ranges": "[["}, {"ranges": '[["a","b"]]'}, {"bound": "x"}, {"pos": 4}])
def test_an_offset_that_was_edited_wrongly_is_refused_and_else_the_table_is_read_anew(wrong: dict[str, Any]) -> None:
    offset = SourceOffset(partition(TABLE), {**(FirstRead("k", 9).offset(TABLE).offset or {}), **wrong})
    with pytest.raises(RequestError, match="forget it"):
        check_offsets({}, [offset])
    if "pos" not in wrong:
        assert begun([offset], TABLE) is None


def test_a_range_is_read_in_the_order_of_its_numbers() -> None:
    def select(kind: str, mode: str) -> Select:
        dialect = DIALECTS[kind]
        times = ["at"] if mode == BOTH else []
        return Select(dialect, of_table(dialect, TABLE), mode, product(kind).MARK, "id", times)

    everything = "SELECT * FROM `shop`.`orders`"
    assert select("mysql", INCREMENTING).in_range("id", -1, 9) == (
        f"{everything} WHERE `id` > %s AND `id` <= %s ORDER BY `id` ASC"
    )
    assert select("mysql", BULK).in_range("a%", None, None) == f"{everything} ORDER BY `a%%` ASC"
    assert select("mysql", BULK).in_range("a%", 3, None) == f"{everything} WHERE `a%%` > %s ORDER BY `a%%` ASC"
    assert (
        select("oracle", BOTH)
        .in_range("id", None, 9)
        .endswith('WHERE "at" < :1 AND (("at" = :2 AND "id" > :3) OR "at" > :4) AND "id" <= :5 ORDER BY "id" ASC')
    )
