"""MariaDB's GTIDs: the last transaction of each domain, read, written and compared."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdc.errors import SourceError
from cdc.mysql.domain_gtids import DomainGtids, Last
from cdc.mysql.flavor import MARIADB
from cdc.mysql.history import at_or_before
from cdc.mysql.offset import GtidSet, covers, gtids_of

GTIDS = st.dictionaries(
    st.integers(0, 2**32 - 1), st.builds(Last, st.integers(1, 2**32 - 1), st.integers(1, 2**64 - 1)), max_size=40
).map(DomainGtids)


@given(GTIDS)
def test_what_is_written_is_read_again(gtids: DomainGtids) -> None:
    assert DomainGtids.parse(str(gtids)) == gtids


@given(GTIDS, GTIDS)
def test_what_is_missing_of_another_is_what_makes_it_not_contained(one: DomainGtids, other: DomainGtids) -> None:
    assert one.contains(other) == (not other.minus(one))
    assert one.contains(other.minus(other.minus(one)))


def test_domains_are_written_in_the_order_of_a_java_hash_map() -> None:
    assert str(DomainGtids.parse("2000-1-1,1000-1-1,3-1-1,0-1-1")) == "2000-1-1,0-1-1,3-1-1,1000-1-1"


def test_the_later_of_two_of_one_domain_counts() -> None:
    assert str(DomainGtids.parse("0-1-5, 0-2-9")) == "0-2-9"


def test_a_number_has_one_place_in_its_domain_whoever_made_it() -> None:
    assert DomainGtids.parse("0-2-101").contains(DomainGtids.parse("0-1-100"))
    assert not DomainGtids.parse("0-2-99").contains(DomainGtids.parse("0-1-100"))
    assert not DomainGtids.parse("1-1-100").contains(DomainGtids.parse("0-1-1"))


def test_a_tally_grows_by_one_transaction_after_the_other() -> None:
    tally = DomainGtids.parse("0-1-5").tally()
    for gtid in ("0-1-6", "7-3-1", "0-2-7"):
        tally.add(gtid)
    assert str(tally.done()) == "0-2-7,7-3-1"


def test_which_of_the_two_a_text_is_shows_in_its_form() -> None:
    mysql = "aaaaaaaa-0000-0000-0000-000000000000:1-5"
    assert isinstance(gtids_of("0-1-5,1-2-3"), DomainGtids)
    assert isinstance(gtids_of(mysql), GtidSet)
    assert covers(gtids_of("0-1-5"), gtids_of("0-1-4"))
    assert not covers(gtids_of("0-1-5"), gtids_of(mysql))
    assert not covers(gtids_of(mysql), gtids_of("0-1-5"))


def test_another_text_is_refused_by_what_is_wrong() -> None:
    with pytest.raises(SourceError, match=r"'0-1' is not a MariaDB GTID: expected domain-server-number"):
        DomainGtids.parse("0-1")


@pytest.mark.parametrize(
    ("includes", "excludes", "wanted"),
    [
        (["0"], [], {"0-1", "0-2"}),
        (["0-2"], [], {"0-2"}),
        ([], ["1"], {"0-1", "0-2"}),
        ([], ["0-1", "1-.*"], {"0-2"}),
    ],
)
def test_a_filter_of_sources_names_domains_or_servers_in_them(
    includes: list[str], excludes: list[str], wanted: set[str]
) -> None:
    filter = MARIADB.sources(includes, excludes)
    assert {source for source in ("0-1", "0-2", "1-3") if filter(source)} == wanted
    kept = DomainGtids.parse("0-2-9,1-3-4").only(filter)
    assert set(kept.last) == {int(source[0]) for source in wanted & {"0-2", "1-3"}}


def test_history_records_are_compared_by_mariadbs_gtids() -> None:
    at = {"file": "b.000001", "pos": 4, "gtids": "0-1-10"}
    assert at_or_before({"file": "b.000009", "pos": 9, "gtids": "0-1-9"}, at)
    assert not at_or_before({"file": "b.000001", "pos": 1, "gtids": "0-1-11"}, at)
    assert not at_or_before({**at, "event": 1}, at)
