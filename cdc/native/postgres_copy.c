/* Messages of PostgreSQL's protocol -> the lines of COPY in them, or frames of the WAL. The reference of the lines is
   `_split` of cdc/postgres/copy_out.py. */

#include "hot.h"

enum { HEADER = 5, COPY_DATA = 'd', FRAME = 'w' };

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

static PyMethodDef methods[] = {
    {"postgres_frames", frames, METH_VARARGS, NULL},
    {"postgres_copy", copy, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

int add_postgres_copy(PyObject *module) {
    return PyModule_AddFunctions(module, methods);
}
