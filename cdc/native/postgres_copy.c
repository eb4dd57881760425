/* Messages of PostgreSQL's protocol -> the lines of COPY in them, or frames of the WAL; plain transactions of those. The
   references are `_split` of cdc/postgres/copy_out.py, and `find` of plain_transactions.py. */

#include "hot.h"

enum { HEADER = 5, COPY_DATA = 'd', FRAME = 'w' };

/* How long the line of a CopyData is. */
static inline size_t line_size(const unsigned char *at) {
    return (uint32_t)big(at + 1, 4) - 4u;
}

/* Whether all of a CopyData stands here. */
static inline int is_line(const unsigned char *at, Py_ssize_t have) {
    return have >= HEADER && at[0] == COPY_DATA && line_size(at) <= (size_t)(have - HEADER);
}

/* postgres_copy(buffer, rows) -> (lines, how many, where what follows them begins) */
static PyObject *copy(PyObject *module, PyObject *args) {
    (void)module;
    Py_buffer buffer;
    Py_ssize_t rows, at = 0, count = 0;
    if (!PyArg_ParseTuple(args, "y*n", &buffer, &rows)) return NULL;
    const unsigned char *data = buffer.buf;
    for (; count < rows && is_line(data + at, buffer.len - at); count++) at += HEADER + line_size(data + at);
    PyObject *lines = PyBytes_FromStringAndSize(NULL, at - count * HEADER), *found = NULL;
    if (lines != NULL) {
        char *to = PyBytes_AS_STRING(lines);
        for (const unsigned char *from = data, *end = data + at; from < end;) {
            size_t size = line_size(from);
            memcpy(to, from + HEADER, size);
            to += size;
            from += HEADER + size;
        }
        found = Py_BuildValue("Nnn", lines, count, at);
    }
    PyBuffer_Release(&buffer);
    return found;
}

/* postgres_frames(buffer, most) -> (the WAL's frames in front, where what follows them begins); see `_split` of
   cdc/postgres/replication.py. */
static PyObject *frames(PyObject *module, PyObject *args) {
    (void)module;
    Py_buffer buffer;
    Py_ssize_t most, at = 0;
    if (!PyArg_ParseTuple(args, "y*n", &buffer, &most)) return NULL;
    PyObject *found = PyList_New(0);
    while (found != NULL && PyList_GET_SIZE(found) < most) {
        const unsigned char *data = (const unsigned char *)buffer.buf + at;
        if (!is_line(data, buffer.len - at) || !line_size(data) || data[HEADER] != FRAME) break;
        PyObject *frame = PyBytes_FromStringAndSize((const char *)data + HEADER, (Py_ssize_t)line_size(data));
        if (frame == NULL || PyList_Append(found, frame) < 0) Py_CLEAR(found);
        Py_XDECREF(frame);
        at += HEADER + (Py_ssize_t)line_size(data);
    }
    PyBuffer_Release(&buffer);
    return found == NULL ? NULL : Py_BuildValue("Nn", found, at);
}

/* Plain transactions */

enum { FRAME_HEADER = 25, PREFIX = 8, BEGIN_SIZE = FRAME_HEADER + 21, COMMIT_SIZE = FRAME_HEADER + 26 };
static const int64_t EPOCH_US = 946684800000000; /* 2000-01-01 */

/* The frame at `at` if it is of the type, and of the size or more; else NULL. */
static const uint8_t *frame_of(PyObject *frames, Py_ssize_t at, const char *types, Py_ssize_t least, Py_ssize_t most) {
    PyObject *frame = PyList_GET_ITEM(frames, at);
    if (!PyBytes_CheckExact(frame) || PyBytes_GET_SIZE(frame) < least || PyBytes_GET_SIZE(frame) > most) return NULL;
    const uint8_t *data = (const uint8_t *)PyBytes_AS_STRING(frame);
    return data[FRAME_HEADER] && strchr(types, data[FRAME_HEADER]) != NULL ? data : NULL;
}

static int add_transaction(PyObject *columns[4], PyObject *change, const uint8_t *begin, const uint8_t *commit) {
    PyObject *values[4] = {
        Py_NewRef(change),
        PyLong_FromLongLong((int64_t)big(begin + FRAME_HEADER + 9, 8) + EPOCH_US),
        PyLong_FromUnsignedLong((unsigned long)big(begin + FRAME_HEADER + 17, 4)),
        PyLong_FromUnsignedLongLong(big(commit + FRAME_HEADER + 10, 8)),
    };
    int result = 0;
    for (int i = 0; i < 4; i++) {
        if (values[i] == NULL || PyList_Append(columns[i], values[i]) < 0) result = -1;
        Py_XDECREF(values[i]);
    }
    return result;
}

/* postgres_transactions(frames, at, most) -> the plain transactions from frame `at` on, so many at most, whose changes
   begin alike; cdc/postgres/plain_transactions.py has the names. */
static PyObject *transactions(PyObject *module, PyObject *args) {
    (void)module;
    PyObject *frames, *columns[4];
    Py_ssize_t at, most;
    if (!PyArg_ParseTuple(args, "O!nn", &PyList_Type, &frames, &at, &most)) return NULL;
    int failed = 0;
    for (int i = 0; i < 4; i++) failed |= (columns[i] = PyList_New(0)) == NULL;
    const uint8_t *first = NULL;
    for (; !failed && most-- > 0 && at >= 0 && PyList_GET_SIZE(frames) - at >= 3; at += 3) {
        const uint8_t *begin = frame_of(frames, at, "B", BEGIN_SIZE, BEGIN_SIZE);
        const uint8_t *change = frame_of(frames, at + 1, "IUD", FRAME_HEADER + PREFIX, PY_SSIZE_T_MAX);
        const uint8_t *commit = frame_of(frames, at + 2, "C", COMMIT_SIZE, COMMIT_SIZE);
        if (begin == NULL || change == NULL || commit == NULL) break;
        if ((int64_t)big(begin + FRAME_HEADER + 9, 8) > INT64_MAX - EPOCH_US) break;
        if (first == NULL) first = change;
        if (memcmp(first + FRAME_HEADER, change + FRAME_HEADER, PREFIX)) break;
        failed = add_transaction(columns, PyList_GET_ITEM(frames, at + 1), begin, commit) < 0;
    }
    if (!failed) return Py_BuildValue("NNNN", columns[0], columns[1], columns[2], columns[3]);
    for (int i = 0; i < 4; i++) Py_XDECREF(columns[i]);
    return NULL;
}

static PyMethodDef methods[] = {
    {"postgres_frames", frames, METH_VARARGS, NULL},
    {"postgres_transactions", transactions, METH_VARARGS, NULL},
    {"postgres_copy", copy, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

int add_postgres_copy(PyObject *module) {
    return PyModule_AddFunctions(module, methods);
}
