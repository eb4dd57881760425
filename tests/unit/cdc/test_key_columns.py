"""message.key.columns."""

from __future__ import annotations

import pytest

from cdc.errors import ConfigError
from cdc.key_columns import key_columns


def test_each_column_is_a_filter_in_the_order_of_the_text() -> None:
    filters = key_columns(" inv.t : b ,a; (.*).x:i.*")
    assert [[f(name) for name in ("inv.t.b", "inv.t.a", "q.x.id")] for f in filters] == [
        [True, False, False], [False, True, False], [False, False, True],
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["inv.t", "inv.t:", ":a", "inv.t:a;x"])
def test_message_key_columns_without_table_or_columns_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="invalid format"):
        key_columns(text)
