"""Lines of SHOW GRANTS, as MySQL 9.7 and MariaDB write them."""

from __future__ import annotations

from cdc.mysql.grants import Grants
from cdc.table import TableId

ORDERS = TableId("shop", "orders")


def test_privileges_everywhere_are_read_from_one_line() -> None:
    grants = Grants.parse(["GRANT SELECT, RELOAD, REPLICATION SLAVE ON *.* TO `cdc`@`%`"])
    assert all(map(grants.has, ("SELECT", "RELOAD", "REPLICATION SLAVE")))
    assert not grants.has("REPLICATION CLIENT")
    assert grants.has_on("SELECT", ORDERS)


def test_all_privileges_hold_everything() -> None:
    grants = Grants.parse(["GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION"])
    assert grants.has("REPLICATION CLIENT")
    assert grants.has_on("SELECT", ORDERS)


def test_a_privilege_on_a_database_holds_for_its_tables_alone() -> None:
    grants = Grants.parse(["GRANT USAGE ON *.* TO `u`@`%`", "GRANT SELECT, LOCK TABLES ON `shop`.* TO `u`@`%`"])
    assert not grants.has("SELECT")
    assert grants.has_somewhere("SELECT")
    assert grants.has_on("SELECT", ORDERS)
    assert not grants.has_on("SELECT", TableId("other", "orders"))


def test_all_on_a_database_gives_no_right_to_replicate() -> None:
    grants = Grants.parse(["GRANT ALL PRIVILEGES ON `shop`.* TO `u`@`%`"])
    assert grants.has_somewhere("LOCK TABLES")
    assert not grants.has_somewhere("REPLICATION SLAVE")
    assert not grants.has_somewhere("RELOAD")


def test_a_database_pattern_matches_as_like_does() -> None:
    grants = Grants.parse(["GRANT SELECT ON `shop\\_%`.* TO `u`@`%`"])
    assert grants.has_on("SELECT", TableId("shop_eu", "t"))
    assert not grants.has_on("SELECT", TableId("shopxeu", "t"))


def test_a_privilege_on_a_table_holds_for_it_alone() -> None:
    grants = Grants.parse(["GRANT SELECT ON `shop`.`orders` TO `u`@`%`"])
    assert grants.has_on("SELECT", ORDERS)
    assert not grants.has_on("SELECT", TableId("shop", "customers"))


def test_a_privilege_on_columns_is_none_on_the_table() -> None:
    grants = Grants.parse(["GRANT SELECT (`id`, `name`), INSERT ON `shop`.`orders` TO `u`@`%`"])
    assert not grants.has_on("SELECT", ORDERS)
    assert grants.has_on("INSERT", ORDERS)


def test_roles_proxies_and_routines_give_nothing_here() -> None:
    grants = Grants.parse([
        "GRANT `reader`@`%` TO `u`@`%`",
        "GRANT PROXY ON ``@`` TO `root`@`localhost` WITH GRANT OPTION",
        "GRANT EXECUTE ON PROCEDURE `shop`.`p` TO `u`@`%`",
    ])  # fmt: skip
    assert grants == Grants()


def test_dynamic_privileges_are_privileges() -> None:
    grants = Grants.parse(["GRANT BACKUP_ADMIN,FLUSH_TABLES ON *.* TO `u`@`%`"])
    assert grants.has("FLUSH_TABLES")


def test_an_old_grant_without_quotes_is_read() -> None:
    assert Grants.parse(["GRANT SELECT ON *.* TO 'u'@'%' IDENTIFIED BY PASSWORD '*X'"]).has("SELECT")
