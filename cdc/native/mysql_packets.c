/* MySQL's packets -> events of the binary log, plain transactions of those, and the rows of a SELECT.

   The references are `Stream.events` (cdc/mysql/wire.py), `Reader` (reader.py) and `_splitter` (rows.py). */

#include "hot.h"

enum { MAX_PACKET = 0xFFFFFF, HEADER = 19, CHECKSUM = 4, ROWS_QUERY = 29 };
static const uint32_t INTACT = 0x2144DF1C; /* the CRC-32 of anything that ends in its own CRC-32 */
static uint32_t crc_tables[8][256];

static void fill_crc_tables(void) {
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t crc = byte;
        for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
        crc_tables[0][byte] = crc;
    }
    for (int table = 1; table < 8; table++)
        for (int byte = 0; byte < 256; byte++) {
            uint32_t before = crc_tables[table - 1][byte];
            crc_tables[table][byte] = before >> 8 ^ crc_tables[0][before & 0xFF];
        }
}

static uint32_t crc32_of(const uint8_t *at, Py_ssize_t size) {
    uint32_t crc = 0xFFFFFFFF;
    for (; size >= 8; at += 8, size -= 8) {
        uint64_t eight = little(at, 8) ^ crc;
        crc = 0;
        for (int i = 0; i < 8; i++) crc ^= crc_tables[7 - i][eight >> 8 * i & 0xFF];
    }
    for (; size; at++, size--) crc = crc >> 8 ^ crc_tables[0][(crc ^ *at) & 0xFF];
    return ~crc;
}

/* mysql_packets(waiting) -> (events, at): whole events up to the first packet that is not one, or not complete. */
static PyObject *packets(PyObject *module, PyObject *waiting) {
    (void)module;
    if (!PyBytes_CheckExact(waiting)) return refuse("no bytes");
    const uint8_t *data = (const uint8_t *)PyBytes_AS_STRING(waiting);
    Py_ssize_t have = PyBytes_GET_SIZE(waiting), at = 0;
    PyObject *events = PyList_New(0);
    while (events != NULL && have - at >= 4) {
        Py_ssize_t size = (Py_ssize_t)little(data + at, 3);
        if (!size || size == MAX_PACKET || have - at - 4 < size || data[at + 4]) break;
        PyObject *event = PyBytes_FromStringAndSize((const char *)data + at + 5, size - 1);
        if (event == NULL || PyList_Append(events, event) < 0) Py_CLEAR(events);
        Py_XDECREF(event);
        at += 4 + size;
    }
    return events == NULL ? NULL : Py_BuildValue("Nn", events, at);
}

/* Plain transactions */

typedef struct {
    PyObject *event;
    const uint8_t *data;
    Py_ssize_t size, end; /* end: where the checksum begins */
    uint8_t type;
    uint32_t seconds, server;
    uint64_t next;
} Event;

/* Whether this is a whole, intact event that stands in the log. */
static int read_event(PyObject *given, int checksum, Event *event) {
    if (!PyBytes_CheckExact(given)) return 0;
    const uint8_t *data = event->data = (const uint8_t *)PyBytes_AS_STRING(given);
    Py_ssize_t size = event->size = PyBytes_GET_SIZE(given);
    if (size < HEADER + CHECKSUM || size > MAX_PACKET || (Py_ssize_t)little(data + 9, 4) != size) return 0;
    event->event = given;
    event->type = data[4];
    event->seconds = (uint32_t)little(data, 4);
    event->server = (uint32_t)little(data + 5, 4);
    event->next = little(data + 13, 4);
    event->end = checksum ? size - CHECKSUM : size;
    return event->next >= (uint64_t)size && (!checksum || crc32_of(data, size) == INTACT);
}

static int is_type(const Event *event, const char *types) {
    return event->type && strchr(types, event->type) != NULL;
}

/* Whether a GTID event has the form that `transaction.gtid` knows. */
static int is_usual_gtid(const Event *event) {
    const uint8_t *data = event->data;
    return event->size >= 68 + CHECKSUM && data[44] == 2 && !(data[67] & 0x80) && little(data + 61, 7);
}

/* `uuid:number` of one. */
static PyObject *gtid_of(const uint8_t *data) {
    char text[64], *end = text + sizeof text, *at = end;
    uint64_t number = little(data + 36, 8);
    do *--at = (char)('0' + number % 10);
    while (number /= 10);
    *--at = ':';
    for (int i = 15; i >= 0; i--) {
        *--at = "0123456789abcdef"[data[20 + i] & 15];
        *--at = "0123456789abcdef"[data[20 + i] >> 4];
        if (i == 4 || i == 6 || i == 8 || i == 10) *--at = '-';
    }
    return PyUnicode_DecodeASCII(at, end - at, NULL);
}

/* Whether a Query event says BEGIN and nothing else. */
static int is_begin(const Event *event) {
    const uint8_t *data = event->data;
    if (event->end < 32 + 6 || memcmp(data + event->end - 5, "BEGIN", 5)) return 0;
    return 32 + (Py_ssize_t)data[27] + (Py_ssize_t)little(data + 30, 2) + 1 + 5 == event->end;
}

enum { GTID, BEGIN, TABLE, ROWS, XID, PARTS };

/* GTID, BEGIN, perhaps ROWS_QUERY, TABLE_MAP, one rows event of that table, XID: the number of events; 0: something else. */
static int transaction(PyObject *events, Py_ssize_t at, int checksum, Event of[PARTS]) {
    static const char *const types[] = {"\x21", "\x02", "\x13", "\x17\x18\x19\x1e\x1f\x20", "\x10"};
    Py_ssize_t first = at;
    for (int i = 0; i < PARTS; i++, at++) {
        for (;; at++) {
            if (at >= PyList_GET_SIZE(events) || !read_event(PyList_GET_ITEM(events, at), checksum, &of[i])) return 0;
            if (i != TABLE || of[i].type != ROWS_QUERY || at != first + 2) break;
        }
        if (!is_type(&of[i], types[i]) || of[i].server != of[0].server) return 0;
    }
    if (!is_usual_gtid(&of[GTID]) || !is_begin(&of[BEGIN])) return 0;
    if (of[TABLE].end < HEADER + 8 || of[ROWS].end < HEADER + 8) return 0;
    return memcmp(of[TABLE].data + HEADER, of[ROWS].data + HEADER, 6) ? 0 : (int)(at - first);
}

/* Whether a transaction is the next of the same server, and does the same to the same table. */
static int goes_on(const Event before[PARTS], const Event of[PARTS]) {
    const Event *table = &before[TABLE];
    return of[GTID].server == before[GTID].server && !memcmp(of[GTID].data + 20, before[GTID].data + 20, 16) &&
           little(of[GTID].data + 36, 8) == little(before[GTID].data + 36, 8) + 1 &&
           of[ROWS].type == before[ROWS].type && of[TABLE].end == table->end &&
           !memcmp(of[TABLE].data + HEADER, table->data + HEADER, table->end - HEADER);
}

enum { SERVER, BODY, LISTS, COLUMNS = 10 };

/* (server, body of the TABLE_MAP, and a list a column, still empty). */
static PyObject *new_group(const Event of[PARTS]) {
    PyObject *group = PyTuple_New(LISTS + COLUMNS);
    if (group == NULL) return NULL;
    PyTuple_SET_ITEM(group, SERVER, PyLong_FromUnsignedLong(of[GTID].server));
    PyTuple_SET_ITEM(group, BODY, PyBytes_FromStringAndSize((const char *)of[TABLE].data + HEADER,
                                                            of[TABLE].end - HEADER));
    for (int i = 0; i < COLUMNS; i++) PyTuple_SET_ITEM(group, LISTS + i, PyList_New(0));
    for (int i = 0; group != NULL && i < LISTS + COLUMNS; i++)
        if (PyTuple_GET_ITEM(group, i) == NULL) Py_CLEAR(group);
    return group;
}

static int add_to_group(PyObject *group, const Event of[PARTS], int count) {
    uint64_t micros = little(of[GTID].data + 61, 7);
    PyObject *columns[COLUMNS] = {
        Py_NewRef(of[ROWS].event),
        gtid_of(of[GTID].data),
        PyLong_FromUnsignedLongLong(micros),
        PyLong_FromUnsignedLong((unsigned long)little(of[BEGIN].data + HEADER, 4)),
        PyLong_FromUnsignedLongLong(of[ROWS].next - (uint64_t)of[ROWS].size),
        PyLong_FromUnsignedLongLong(of[GTID].next - (uint64_t)of[GTID].size),
        PyLong_FromUnsignedLongLong(of[XID].next - (uint64_t)of[XID].size),
        PyLong_FromUnsignedLongLong(of[XID].next),
        PyLong_FromLong(count),
        PyLong_FromSsize_t(of[ROWS].size),
    };
    int result = 0;
    for (int i = 0; i < COLUMNS; i++) {
        if (columns[i] == NULL || PyList_Append(PyTuple_GET_ITEM(group, LISTS + i), columns[i]) < 0) result = -1;
        Py_XDECREF(columns[i]);
    }
    return result;
}

/* mysql_transactions(events, at, checksum, most) -> the plain transactions from event `at` on, so many at most, in groups
   of those that go on like the one before; cdc/mysql/plain_transactions.py has the names. */
static PyObject *transactions(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *events, *group = NULL;
    Py_ssize_t at, most;
    int checksum, count, turn = 0;
    Event of[2][PARTS];
    if (!PyArg_ParseTuple(args, "O!npn", &PyList_Type, &events, &at, &checksum, &most)) return NULL;
    PyObject *found = PyList_New(0);
    while (found != NULL && most-- > 0 && at >= 0 && at < PyList_GET_SIZE(events)) {
        if (!(count = transaction(events, at, checksum, of[turn]))) break;
        if (group == NULL || !goes_on(of[!turn], of[turn])) {
            group = new_group(of[turn]);
            if (group == NULL || PyList_Append(found, group) < 0) Py_CLEAR(found);
            Py_XDECREF(group); /* `found` holds it */
        }
        if (found != NULL && add_to_group(group, of[turn], count) < 0) Py_CLEAR(found);
        turn = !turn;
        at += count;
    }
    return found;
}

/* Rows of a SELECT */

/* One value in front of `end`; NULL without an error: nothing is left, or a length of another form. */
static PyObject *cell(const uint8_t **at, const uint8_t *end) {
    if (*at >= end) return NULL;
    uint64_t size = *(*at)++;
    if (size == 251) return Py_NewRef(Py_None);
    if (size > 251) {
        int width = size == 252 ? 2 : size == 253 ? 3 : size == 254 ? 8 : 0;
        if (!width || end - *at < width) return NULL;
        size = little(*at, width);
        *at += width;
    }
    if ((uint64_t)(end - *at) < size) return NULL;
    const char *start = (const char *)*at;
    *at += size;
    return PyBytes_FromStringAndSize(start, (Py_ssize_t)size);
}

static PyObject *row_of(const uint8_t *at, const uint8_t *end, Py_ssize_t columns) {
    PyObject *row = PyTuple_New(columns);
    for (Py_ssize_t i = 0; row != NULL && i < columns; i++) {
        PyObject *value = cell(&at, end);
        if (value == NULL) Py_CLEAR(row);
        else PyTuple_SET_ITEM(row, i, value);
    }
    if (row != NULL && at != end) Py_CLEAR(row);
    if (row != NULL) PyObject_GC_UnTrack(row);
    else if (!PyErr_Occurred()) refuse("no row of so many values");
    return row;
}

/* mysql_split(columns, buffer, at, limit) -> (rows, at, whether no ordinary row is next); see `_splitter` in rows.py */
static PyObject *split(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *buffer;
    Py_ssize_t columns, at, limit;
    if (!PyArg_ParseTuple(args, "nSnn", &columns, &buffer, &at, &limit)) return NULL;
    const uint8_t *data = (const uint8_t *)PyBytes_AS_STRING(buffer);
    Py_ssize_t have = PyBytes_GET_SIZE(buffer), is_other = 0;
    if (at < 0 || at > have || columns < 1) return refuse("no place in the buffer");
    PyObject *rows = PyList_New(0);
    while (rows != NULL && PyList_GET_SIZE(rows) < limit && have - at >= 4) {
        Py_ssize_t size = (Py_ssize_t)little(data + at, 3);
        if (have - at - 4 < size) break;
        if (!size) {
            Py_DECREF(rows);
            return refuse("an empty packet");
        }
        if ((is_other = data[at + 4] >= 254 || size == MAX_PACKET)) break;
        PyObject *row = row_of(data + at + 4, data + at + 4 + size, columns);
        if (row == NULL || PyList_Append(rows, row) < 0) Py_CLEAR(rows);
        Py_XDECREF(row);
        at += 4 + size;
    }
    return rows == NULL ? NULL : Py_BuildValue("NnO", rows, at, is_other ? Py_True : Py_False);
}

static PyMethodDef methods[] = {
    {"mysql_packets", packets, METH_O, NULL},
    {"mysql_transactions", transactions, METH_VARARGS, NULL},
    {"mysql_split", split, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

int add_mysql_packets(PyObject *module) {
    fill_crc_tables();
    return PyModule_AddFunctions(module, methods);
}
