/* Values of a Connect schema to the bytes of an Avro schema that cdc/avro/write.py makes of them. */

#include "shapes.h"

/* An int, a long, a length. */
static int add_number(Text *text, int64_t number) {
    uint64_t left = (uint64_t)number << 1 ^ (number < 0 ? UINT64_MAX : 0);
    char room[10];
    int size = 0;
    for (; left > 127; left >>= 7) room[size++] = (char)(left | 128);
    room[size++] = (char)left;
    return text_add(text, room, size);
}

static int add_sized(Text *text, const unsigned char *data, Py_ssize_t size) {
    return add_number(text, size) < 0 ? -1 : text_add(text, data, size);
}

static int add_boolean(Text *text, const Part *part, PyObject *value) {
    (void)part;
    if (value == Py_True) return text_add(text, "\1", 1);
    return value == Py_False ? text_add(text, "\0", 1) : (refuse("no boolean"), -1);
}

static int add_whole(Text *text, const Part *part, PyObject *value) {
    (void)part;
    if (!PyLong_CheckExact(value)) return refuse("no whole number"), -1;
    int beyond;
    long long number = PyLong_AsLongLongAndOverflow(value, &beyond);
    return beyond ? (refuse("more than 64 bits"), -1) : add_number(text, number);
}

static int add_double(Text *text, const Part *part, PyObject *value) {
    (void)part;
    char room[8];
    if (!PyFloat_CheckExact(value)) return refuse("no floating point number"), -1;
    return PyFloat_Pack8(PyFloat_AS_DOUBLE(value), room, 1) < 0 ? -1 : text_add(text, room, 8);
}

static int add_single(Text *text, const Part *part, PyObject *value) {
    (void)part;
    char room[4];
    if (!PyFloat_CheckExact(value)) return refuse("no floating point number"), -1;
    return PyFloat_Pack4(PyFloat_AS_DOUBLE(value), room, 1) < 0 ? -1 : text_add(text, room, 4);
}

static int add_string(Text *text, const Part *part, PyObject *value) {
    (void)part;
    if (!PyUnicode_CheckExact(value)) return refuse("no text"), -1;
#if PY_VERSION_HEX < 0x030C0000
    if (!PyUnicode_IS_READY(value)) return refuse("a text in an old form"), -1;
#endif
    if (PyUnicode_IS_ASCII(value)) return add_sized(text, PyUnicode_DATA(value), PyUnicode_GET_LENGTH(value));
    PyObject *bytes = PyUnicode_AsUTF8String(value);
    if (bytes == NULL) return -1;
    int failed = add_sized(text, (const unsigned char *)PyBytes_AS_STRING(bytes), PyBytes_GET_SIZE(bytes));
    Py_DECREF(bytes);
    return failed;
}

static int add_blob(Text *text, const Part *part, PyObject *value) {
    (void)part;
    if (!PyBytes_CheckExact(value)) return refuse("no bytes"), -1;
    return add_sized(text, (const unsigned char *)PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value));
}

static int add_decimal(Text *text, const Part *part, PyObject *value) {
    return add_unscaled(text, part, value, add_sized);
}

static int add_array(Text *text, const Part *part, PyObject *list) {
    if (!PyList_CheckExact(list)) return refuse("no list"), -1;
    Py_ssize_t count = PyList_GET_SIZE(list);
    if (count && (add_number(text, count) < 0 || add_elements(text, part, list, "") < 0)) return -1;
    if (PyList_GET_SIZE(list) != count) return refuse("a list that changes"), -1;
    return text_add(text, "\0", 1);
}

const Op AVRO_OPS[] = {
    {"avro boolean", add_boolean}, {"avro whole", add_whole}, {"avro double", add_double}, {"avro single", add_single},
    {"avro string", add_string}, {"avro blob", add_blob}, {"avro decimal", add_decimal}, {"avro struct", add_members},
    {"avro array", add_array}, {"avro other", add_called}, {NULL, NULL},
};
