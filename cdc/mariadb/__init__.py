"""MariaDB as a source: what its connector declares. It is read by `cdc.mysql`, for the two have one protocol."""
