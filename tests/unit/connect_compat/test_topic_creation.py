from __future__ import annotations

import pytest

from cdc.errors import ConfigError
from connect_compat.topic_creation import topic_creation


def test_without_settings_a_topic_gets_the_logs_own_defaults() -> None:
    spec = topic_creation({}).spec("any")
    assert (spec.name, spec.partitions, spec.replication, spec.config) == ("any", -1, -1, {})


def test_groups_fall_back_to_the_default_group_and_exclude_wins_over_include() -> None:
    creation = topic_creation({
        "topic.creation.default.partitions": "5", "topic.creation.default.replication.factor": "2",
        "topic.creation.groups": "a, b", "topic.creation.a.include": "x.*", "topic.creation.a.exclude": "xy.*",
        "topic.creation.b.include": "xyz,other", "topic.creation.b.retention.ms": "9",
    })  # fmt: skip
    assert (creation.spec("xa").partitions, creation.spec("xa").config) == (5, {})
    assert (creation.spec("xyz").replication, creation.spec("xyz").config) == (2, {"retention.ms": "9"})
    assert creation.spec("xyz1").config == {}


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as raised:
        topic_creation(
            {"topic.creation.groups": "a,b", "topic.creation.a.partitions": "0", "topic.creation.b.include": "("}
        )
    assert [problem.key for problem in raised.value.problems] == [
        "topic.creation.default.replication.factor",
        "topic.creation.default.partitions",
        "topic.creation.a.include",
        "topic.creation.a.partitions",
        "topic.creation.b.include",
    ]
