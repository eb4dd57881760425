/* What stands in a column of a MySQL rows event; cdc/native/mysql_rows.c reads rows by it. */

#ifndef TAILRACE_MYSQL_VALUES_H
#define TAILRACE_MYSQL_VALUES_H

#include "hot.h"

typedef enum {
    SKIP, SKIP_PAYLOAD, SIGNED, UNSIGNED, BOOLEAN, BIT, BITS, YEAR, FLOAT, DOUBLE, SINGLE, DECIMAL, DECIMAL_TEXT,
    DECIMAL_DOUBLE, UTF8, ASCII, LATIN1, TEXT, BYTES, ENUM, SET, DATE, DATE_TEXT, DATETIME, DATETIME_TEXT, TIMESTAMP,
    OLD_TIMESTAMP, TIME, TIME_TEXT, FIXED, PAYLOAD, KINDS
} Kind;

/* How to read one column; what the numbers and objects are for is said in native_rows.py. */
typedef struct {
    Kind kind;
    int nullable;
    Py_ssize_t target; /* place in the row; -1: the column is passed over */
    Py_ssize_t size;   /* bytes of the value, of its fraction, or of the length before it */
    int64_t a, b;
    PyObject *object, *other;
} Op;

/* Bytes of a row image, read one after the other; nothing beyond `end` is looked at. */
typedef struct {
    const uint8_t *at, *end;
} Input;

static inline int has(const Input *in, uint64_t size) {
    if ((uint64_t)(in->end - in->at) >= size) return 1;
    refuse("the last row ends after the event");
    return 0;
}

/* The value of a column, new; NULL: refused. */
PyObject *mysql_value(const Op *op, Input *in);

/* Passes over a column; -1: refused. */
int mysql_skip(const Op *op, Input *in);

/* Reads how to read a column of a row of so many places; -1 with an exception set, and the op can be freed. */
int mysql_read_op(PyObject *told, Py_ssize_t width, Op *op);

#endif
