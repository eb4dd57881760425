/* What the files of the compiled twin share. */

#ifndef TAILRACE_HOT_H
#define TAILRACE_HOT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

/* Raised for everything that the Python reference is to decide: damage, rare forms, values of another type. */
extern PyObject *Refused;

/* Sets Refused with a constant text; gives NULL, to be returned. */
PyObject *refuse(const char *why);

/* Bytes that grow. */
typedef struct {
    char *data;
    Py_ssize_t size, room;
} Text;

/* Makes room for `more` bytes; -1 with MemoryError set when there is none. */
int text_grow(Text *text, Py_ssize_t more);
void text_free(Text *text);

static inline int text_room(Text *text, Py_ssize_t more) {
    return text->room - text->size >= more ? 0 : text_grow(text, more);
}

static inline int text_add(Text *text, const void *data, Py_ssize_t size) {
    if (text_room(text, size) < 0) return -1;
    memcpy(text->data + text->size, data, size);
    text->size += size;
    return 0;
}

/* A number of so many bytes, the lowest first, or the highest. */
static inline uint64_t little(const uint8_t *at, Py_ssize_t size) {
    uint64_t found = 0;
    for (Py_ssize_t i = size - 1; i >= 0; i--) found = found << 8 | at[i];
    return found;
}

static inline uint64_t big(const uint8_t *at, Py_ssize_t size) {
    uint64_t found = 0;
    for (Py_ssize_t i = 0; i < size; i++) found = found << 8 | at[i];
    return found;
}

/* Each file adds its functions and types to the module; -1 with an exception set. */
int add_mysql_rows(PyObject *module);
int add_mysql_packets(PyObject *module);
int add_mysql_texts(PyObject *module);
int add_postgres_rows(PyObject *module);
int add_postgres_copy(PyObject *module);
int add_shapes(PyObject *module);
int add_kafka_producer(PyObject *module);

#endif
