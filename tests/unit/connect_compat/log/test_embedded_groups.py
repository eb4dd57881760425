"""Sharing partitions among members: all are owned, evenly, and few move."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connect_compat.log.embedded_groups import Subscription, share

members = st.integers(1, 6)
partitions = st.integers(0, 20)


def test_partitions_are_split_evenly_and_the_oldest_member_gets_what_is_over() -> None:
    shared = share({1: [10, 11, 12], 2: [10, 11, 12]}, {})
    assert sorted(shared.values()) == [1, 1, 2]


def test_a_new_member_takes_only_its_share() -> None:
    shared = share({1: [1, 2, 3, 4], 2: [1, 2, 3, 4]}, {1: 1, 2: 1, 3: 1, 4: 1})
    assert sorted(shared.values()) == [1, 1, 2, 2]


def test_what_a_member_that_left_owned_goes_to_the_others() -> None:
    assert share({2: [1, 2]}, {1: 1, 2: 2}) == {1: 2, 2: 2}


def test_nothing_is_shared_without_members() -> None:
    assert share({}, {1: 7}) == {}


def test_a_member_gets_only_what_it_subscribed_to() -> None:
    assert share({1: [1, 2, 3], 2: [3]}, {3: 1}) == {1: 1, 2: 1, 3: 2}


@given(members, partitions, st.data())
def test_every_partition_is_owned_evenly_and_a_settled_group_stays_as_it_is(
    count: int, size: int, data: st.DataObject
) -> None:
    wanted = {member: list(range(size)) for member in range(count)}
    before = data.draw(st.dictionaries(st.integers(0, 20), st.integers(0, 8)))
    shared = share(wanted, before)
    loads = [list(shared.values()).count(member) for member in wanted]
    assert set(shared) == set(range(size))
    assert max(loads) - min(loads) <= 1
    assert share(wanted, shared) == shared


@given(st.dictionaries(st.integers(0, 5), st.lists(st.integers(0, 12), unique=True), min_size=1), st.data())
def test_unequal_subscriptions_leave_nothing_out(wanted: dict[int, list[int]], data: st.DataObject) -> None:
    shared = share(wanted, data.draw(st.dictionaries(st.integers(0, 12), st.integers(0, 5))))
    assert set(shared) == {partition for some in wanted.values() for partition in some}
    assert all(partition in wanted[member] for partition, member in shared.items())


def test_a_pattern_must_match_the_whole_name() -> None:
    assert Subscription((), r"a\..*").matches("a.b")
    assert not Subscription((), r"a\.").matches("a.b")
    assert Subscription(("x",), None).matches("x")
