/* Messages of PostgreSQL's protocol -> the lines of COPY in them. The reference is `_split` of cdc/postgres/copy_out.py. */

#include "hot.h"

enum { HEADER = 5, COPY_DATA = 'd' };

/* How long the line of a CopyData is. */
static inline size_t line_size(const unsigned char *at) {
    return ((uint32_t)at[1] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 8 | at[4]) - 4u;
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

static PyMethodDef methods[] = {
    {"postgres_copy", copy, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

int add_postgres_copy(PyObject *module) {
    return PyModule_AddFunctions(module, methods);
}
