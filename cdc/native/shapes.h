/* What the writers of JSON and of Avro share: parts of a schema, each with the function that writes its values. */

#ifndef TAILRACE_SHAPES_H
#define TAILRACE_SHAPES_H

#include "hot.h"

/* What is written for one place of a schema. */
typedef struct Part Part;

/* Writes a value that is not None; -1 with an exception set. */
typedef int (*Write)(Text *text, const Part *part, PyObject *value);

struct Part {
    Write write;
    Py_ssize_t at;   /* which member of its struct; -1: none, `ahead` is all */
    PyObject *ahead; /* bytes before the value */
    PyObject *null;  /* bytes in place of a null and what stands before it; None: it is refused */
    PyObject *call;  /* what gives the bytes of a value that is rare, or None */
    Py_ssize_t width; /* of a struct: how long its tuples are */
    Py_ssize_t count;
    Part *parts; /* members of a struct, the elements of an array */
};

typedef struct {
    const char *name;
    Write write;
} Op;

/* Both end with an op without a name. */
extern const Op JSON_OPS[], AVRO_OPS[];

static inline int add_bytes(Text *text, PyObject *bytes) {
    return text_add(text, PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes));
}

/* What `part` says of any value, None included. */
static inline int add_value(Text *text, const Part *part, PyObject *value) {
    if (value == Py_None) return part->null != Py_None ? add_bytes(text, part->null) : (refuse("a null"), -1);
    return add_bytes(text, part->ahead) < 0 ? -1 : part->write(text, part, value);
}

/* The bytes that a part's function makes of a value. */
int add_called(Text *text, const Part *part, PyObject *value);
/* The members of a row, which must be a tuple of as many as the part says. */
int add_members(Text *text, const Part *part, PyObject *row);
/* The elements of a list with `between` between them. */
int add_elements(Text *text, const Part *part, PyObject *list, const char *between);
/* The unscaled value of a Decimal in as few bytes of two's complement as it takes, as `add` writes bytes. */
int add_unscaled(Text *text, const Part *part, PyObject *value,
                 int (*add)(Text *text, const unsigned char *data, Py_ssize_t size));

#endif
