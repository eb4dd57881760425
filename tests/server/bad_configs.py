"""Bodies and configs that must be refused, and the words that must be told of each."""

from __future__ import annotations

Changes = dict[str, str | None]
"""Of a config that works; None removes a key."""

TRANSFORMS = "org.apache.kafka.connect.transforms."
TOP = 'the body must be one JSON object of settings, such as {"connector.class": "…"}'
BODIES: list[tuple[bytes, str | None, int, str]] = [
    (b'{"a": ', None, 500, "Unexpected end-of-input: the JSON text is not complete at line 1, column 7"),
    (b'{"a": 1,}', None, 500, "Unexpected input: the body is not JSON: "),
    (b"{'a': 1}", None, 500, "Unexpected input: the body is not JSON: "),
    (b'{"a": NaN}', None, 500, "Non-standard token 'NaN'"),
    (b'{"a": "\xff"}', None, 500, "The body is not UTF-8: invalid start byte at byte 7"),
    (b"[" * 100_000, None, 500, "The body is nested too deep"),
    (b"", None, 500, TOP),
    (b"null", None, 500, TOP),
    (b"[]", None, 500, TOP),
    (b'"text"', None, 500, TOP),
    (b"7", None, 500, TOP),
    (b'{"a": {"b": 1}}', None, 500, 'the value of "a" must be a string, number or boolean'),
    (b'{"a": ["b"]}', None, 500, 'the value of "a" must be a string, number or boolean'),
    (b'{"name": "x", "config": {}}', None, 500, "settings stand in this body directly, without name and config"),
    (b"{}", "text/plain", 415, "HTTP 415 Unsupported Media Type"),
    (b"a=b", "application/x-www-form-urlencoded", 415, "HTTP 415 Unsupported Media Type"),
]
"""What is sent, as which media type (JSON when None), the status, and words of the first line."""

LISTS = "A comma-separated list of valid regular expressions is expected, but "
ROUTER = {"transforms": "r", "transforms.r.type": TRANSFORMS + "RegexRouter", "transforms.r.regex": "a",
          "transforms.r.replacement": "b"}  # fmt: skip
VALUES: list[tuple[str, Changes, str, str]] = [
    ("no prefix", {"topic.prefix": None}, "topic.prefix", "A value is required"),
    ("an empty prefix", {"topic.prefix": ""}, "topic.prefix", "A value is required"),
    ("a prefix no topic can have", {"topic.prefix": "a b/c"}, "topic.prefix", "a b/c has invalid format (only the "),
    ("no host", {"database.hostname": None}, "database.hostname", "A value is required"),
    ("no user", {"database.user": None}, "database.user", "A value is required"),
    ("no server id", {"database.server.id": None}, "database.server.id", "A value is required"),
    ("no history topic", {"schema.history.internal.kafka.topic": None}, "schema.history.internal.kafka.topic",
     "A value is required: the topic for table definitions, such as schemahistory.bad"),
    ("a null", {"database.port": "<null>"}, "database.port", "Give database.port a value or leave it out."),
    ("no integer", {"heartbeat.interval.ms": "1e3"}, "heartbeat.interval.ms", "An integer is expected (it is '1e3')"),
    ("no long", {"snapshot.delay.ms": "soon"}, "snapshot.delay.ms", "A long value is expected (it is 'soon')"),
    ("no boolean", {"tombstones.on.delete": "yes"}, "tombstones.on.delete",
     "Either 'true' or 'false' is expected (it is 'yes')"),
    ("a port too high", {"database.port": "70000"}, "database.port",
     "Value must be between 1 and 65535 (it is '70000')"),
    ("server id 0", {"database.server.id": "0"}, "database.server.id",
     "Value must be between 1 and 4294967295 (it is '0')"),
    ("a negative interval", {"heartbeat.interval.ms": "-1"}, "heartbeat.interval.ms",
     "A non-negative integer value is expected (it is '-1')"),
    ("tasks.max 0", {"tasks.max": "0"}, "tasks.max", "Invalid value 0 for configuration tasks.max: Value must be at "),
    ("a mode misspelt", {"snapshot.mode": "inital"}, "snapshot.mode", "did you mean initial? (it is 'inital')"),
    ("a mode of Java", {"snapshot.mode": "custom"}, "snapshot.mode", "no Java runs here; use configuration_based"),
    ("old and new name", {"database.server.name": "x"}, "topic.prefix",
     "The 'database.server.name' value is invalid: topic.prefix is set too and means the same; keep topic.prefix=bad "
     "and remove database.server.name"),
    ("include and exclude", {"table.include.list": "a", "table.exclude.list": "b"}, "table.exclude.list",
     '"table.include.list" is already specified'),
    ("no regular expression", {"table.include.list": "shop.(t"}, "table.include.list", LISTS + "'shop.(t': missing )"),
    ("a glob", {"database.include.list": "*"}, "database.include.list", LISTS + "'*': nothing to repeat"),
    ("an unknown transform", {"transforms": "r", "transforms.r.type": TRANSFORMS + "RegexRuter"}, "transforms.r.type",
     f"could not be found; did you mean {TRANSFORMS}RegexRouter?"),
    ("a transform without type", {"transforms": "r"}, "transforms.r.type",
     'Missing required configuration "transforms.r.type" which has no default value.'),
    ("a transform twice", {**ROUTER, "transforms": "r,r"}, "transforms", "Duplicate alias provided."),
    ("a transform without its key", {**ROUTER, "transforms.r.regex": None}, "transforms.r.regex",
     'Missing required configuration "transforms.r.regex" which has no default value.'),
    ("a transform's expression", {**ROUTER, "transforms.r.regex": "("}, "transforms.r.regex",
     "Invalid value ( for configuration regex: Invalid regex"),
    ("an unlisted predicate", {**ROUTER, "transforms.r.predicate": "p"}, "transforms.r.predicate",
     "predicates lists no 'p'; it lists nothing"),
    ("an unknown predicate", {"predicates": "p", "predicates.p.type": "TopicNameMatch"}, "predicates.p.type",
     f"could not be found; did you mean {TRANSFORMS}predicates.TopicNameMatches?"),
    ("an unknown converter", {"key.converter": "JsonConvertor"}, "key.converter",
     "Class JsonConvertor could not be found; did you mean org.apache.kafka.connect.json.JsonConverter?"),
    ("a converter's setting", {"value.converter": "JsonConverter", "value.converter.schemas.enable": "1"},
     "value.converter.schemas.enable", "Expected value to be either true or false"),
    ("a mask", {"database.password": "********"}, "database.password", "the mask that stands for a stored secret"),
    ("a key store", {"database.ssl.mode": "verify_ca", "database.ssl.truststore": "/no/such.pem"}, "database.hostname",
     "No such file or directory: '/no/such.pem'; give a PEM or PKCS #12 file"),
    ("a foreign certificate", {"database.ssl.mode": "verify_ca"}, "database.hostname",
     "TLS failed: [SSL: CERTIFICATE_VERIFY_FAILED]"),
]  # fmt: skip
"""Of a source: a name for the case, the change, the key at fault, and words of the refusal of a PUT."""

SINKS: list[tuple[str, Changes, dict[str, str]]] = [
    ("no topics", {"topics": None}, dict.fromkeys(("topics", "topics.regex"), "Must configure one of topics or ")),
    ("both", {"topics.regex": "a.*"}, dict.fromkeys(("topics", "topics.regex"), "are mutually exclusive options")),
    ("no expression", {"topics": None, "topics.regex": "a("}, {"topics.regex": "Invalid value a( for configuration "}),
    ("no address", {"connection.url": None}, {"connection.url": 'Missing required configuration "connection.url"'}),
    ("an address of another kind", {"connection.url": "ftp://es:9200"}, {"connection.url": "write it as http://host:9200"}),
    ("its own dead letters", {"errors.deadletterqueue.topic.name": "none"},
     {"topics": "The DLQ topic 'none' may not be included in the list of topics ('topics=[none]')"}),
    ("its own dead letters by expression",
     {"topics": None, "topics.regex": "n.*", "errors.deadletterqueue.topic.name": "none"},
     {"topics.regex": "The DLQ topic 'none' may not be matched by the regex for the topics ('topics.regex=n.*')"}),
    ("an option misspelt", {"errors.tolerance": "al"}, {"errors.tolerance": "String must be one of: none, all"}),
    ("an option unknown", {"behavior.on.null.values": "drop"}, {"behavior.on.null.values": "ignore, delete, fail"}),
]  # fmt: skip
"""Of a sink, which reads the topic `none`: a name, the change, and words by key."""
