/* Values of a schema to bytes, JSON's or Avro's: what both have in common, and the Python type that holds a schema. */

#include "shapes.h"

int add_called(Text *text, const Part *part, PyObject *value) {
    if (part->call == Py_None) return refuse("a rare value"), -1;
    PyObject *made = PyObject_CallOneArg(part->call, value);
    if (made == NULL) return -1;
    int failed = PyBytes_CheckExact(made) ? add_bytes(text, made) : (refuse("no bytes"), -1);
    Py_DECREF(made);
    return failed;
}

int add_members(Text *text, const Part *part, PyObject *row) {
    if (!PyTuple_CheckExact(row) || PyTuple_GET_SIZE(row) != part->width) return refuse("no row of its schema"), -1;
    for (const Part *member = part->parts; member < part->parts + part->count; member++)
        if ((member->at < 0 ? add_bytes(text, member->ahead)
                            : add_value(text, member, PyTuple_GET_ITEM(row, member->at))) < 0)
            return -1;
    return 0;
}

int add_elements(Text *text, const Part *part, PyObject *list, const char *between) {
    if (!PyList_CheckExact(list)) return refuse("no list"), -1;
    Py_ssize_t size = (Py_ssize_t)strlen(between);
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); i++) {
        PyObject *item = Py_NewRef(PyList_GET_ITEM(list, i)); /* a function that is called could change the list */
        int failed = (i && text_add(text, between, size) < 0) || add_value(text, part->parts, item) < 0;
        Py_DECREF(item);
        if (failed) return -1;
    }
    return 0;
}

int add_unscaled(Text *text, const Part *part, PyObject *value,
                 int (*add)(Text *text, const unsigned char *data, Py_ssize_t size)) {
    if (!PyLong_CheckExact(value)) return refuse("no whole number"), -1;
    int beyond;
    long long number = PyLong_AsLongLongAndOverflow(value, &beyond);
    if (beyond) return add_called(text, part, value);
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)((uint64_t)number >> (56 - 8 * i));
    int from = 0;
    while (from < 7 && bytes[from] == (number < 0 ? 0xFF : 0) && (bytes[from + 1] >> 7) == (number < 0)) from++;
    return add(text, bytes + from, 8 - from);
}

typedef struct {
    PyObject_HEAD
    Part part;
} Shape;

static void free_part(Part *part) {
    for (Py_ssize_t i = 0; i < part->count; i++) free_part(&part->parts[i]);
    PyMem_Free(part->parts);
    Py_XDECREF(part->ahead);
    Py_XDECREF(part->null);
    Py_XDECREF(part->call);
}

static Write find_op(const Op *ops, const char *name) {
    while (ops->name != NULL && strcmp(ops->name, name)) ops++;
    return ops->write;
}

/* Fills a part that is all zero; what it holds after a failure can be freed. `width`: of the struct it stands in. */
static int read_part(Part *part, PyObject *given, Py_ssize_t width) {
    const char *op;
    PyObject *ahead, *null, *call, *parts;
    if (!PyTuple_CheckExact(given)) return PyErr_SetString(PyExc_TypeError, "a part is a tuple"), -1;
    if (!PyArg_ParseTuple(given, "snSOOnO!", &op, &part->at, &ahead, &null, &call, &part->width, &PyTuple_Type, &parts))
        return -1;
    part->write = find_op(JSON_OPS, op) ? find_op(JSON_OPS, op) : find_op(AVRO_OPS, op);
    Py_ssize_t count = PyTuple_GET_SIZE(parts);
    if (part->write == NULL || (null != Py_None && !PyBytes_CheckExact(null)) || part->at < -1 || part->at >= width ||
        (strstr(op, "array") && count != 1))
        return PyErr_SetString(PyExc_ValueError, "not a part"), -1;
    part->ahead = Py_NewRef(ahead);
    part->null = Py_NewRef(null);
    part->call = Py_NewRef(call);
    if (count == 0) return 0;
    part->parts = PyMem_Calloc((size_t)count, sizeof(Part));
    if (part->parts == NULL) return PyErr_NoMemory(), -1;
    part->count = count;
    if (Py_EnterRecursiveCall(" in a schema")) return -1;
    int failed = 0;
    for (Py_ssize_t i = 0; !failed && i < count; i++)
        failed = read_part(&part->parts[i], PyTuple_GET_ITEM(parts, i), strstr(op, "array") ? 1 : part->width);
    Py_LeaveRecursiveCall();
    return failed;
}

static PyObject *shape_new(PyTypeObject *type, PyObject *args, PyObject *named) {
    PyObject *given;
    if (named != NULL && PyDict_GET_SIZE(named) > 0) return PyErr_SetString(PyExc_TypeError, "no named arguments"), NULL;
    if (!PyArg_ParseTuple(args, "O", &given)) return NULL;
    Shape *shape = (Shape *)type->tp_alloc(type, 0);
    if (shape != NULL && read_part(&shape->part, given, 1) < 0) Py_CLEAR(shape);
    return (PyObject *)shape;
}

static void shape_free(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    free_part(&((Shape *)self)->part);
    type->tp_free(self);
    Py_DECREF(type);
}

/* A new reference to the item at `at`, of any sequence. */
static PyObject *item_at(PyObject *values, Py_ssize_t at) {
    if (PyList_CheckExact(values) && at < PyList_GET_SIZE(values)) return Py_NewRef(PyList_GET_ITEM(values, at));
    if (PyTuple_CheckExact(values) && at < PyTuple_GET_SIZE(values)) return Py_NewRef(PyTuple_GET_ITEM(values, at));
    return PySequence_GetItem(values, at);
}

static int add_item(Text *text, const Part *part, PyObject *values, Py_ssize_t at) {
    PyObject *item = item_at(values, at);
    if (item == NULL) return -1;
    int failed = add_value(text, part, item);
    Py_DECREF(item);
    return failed;
}

/* Takes the reference to `item`. */
static int append(PyObject *list, PyObject *item) {
    if (item == NULL) return -1;
    int failed = PyList_Append(list, item);
    Py_DECREF(item);
    return failed;
}

PyDoc_STRVAR(rows_doc, "rows(before, values, after) -> list of bytes: each value's text between the two; None for None.");

static PyObject *shape_rows(PyObject *self, PyObject *args) {
    PyObject *before, *values, *after;
    if (!PyArg_ParseTuple(args, "SOS", &before, &values, &after)) return NULL;
    Py_ssize_t count = PySequence_Size(values);
    if (count < 0) return NULL;
    PyObject *out = PyList_New(0);
    Text text = {0};
    int failed = out == NULL || text_room(&text, 1) < 0;
    for (Py_ssize_t i = 0; !failed && i < count; i++) {
        PyObject *item = item_at(values, i);
        if (item == NULL) {
            failed = 1;
        } else if (item == Py_None) {
            failed = PyList_Append(out, Py_None) < 0;
        } else {
            text.size = 0;
            failed = add_bytes(&text, before) < 0 || add_value(&text, &((Shape *)self)->part, item) < 0 ||
                     add_bytes(&text, after) < 0 || append(out, PyBytes_FromStringAndSize(text.data, text.size)) < 0;
        }
        Py_XDECREF(item);
    }
    text_free(&text);
    if (failed) Py_CLEAR(out);
    return out;
}

typedef struct {
    const Part *part;
    PyObject *values;
    Py_ssize_t from;
} Fill;

static int read_fill(Fill *fill, PyObject *given, PyTypeObject *shapes) {
    PyObject *shape;
    if (!PyTuple_CheckExact(given)) return PyErr_SetString(PyExc_TypeError, "a fill is a tuple"), -1;
    if (!PyArg_ParseTuple(given, "O!On", shapes, &shape, &fill->values, &fill->from)) return -1;
    fill->part = &((Shape *)shape)->part;
    return fill->from >= 0 ? 0 : (PyErr_SetString(PyExc_ValueError, "a fill begins before its values"), -1);
}

static int add_event(Text *text, PyObject *pieces, const Fill *fills, Py_ssize_t holes, Py_ssize_t at) {
    for (Py_ssize_t i = 0; i < holes; i++)
        if (add_bytes(text, PyTuple_GET_ITEM(pieces, i)) < 0 ||
            add_item(text, fills[i].part, fills[i].values, fills[i].from + at) < 0)
            return -1;
    return add_bytes(text, PyTuple_GET_ITEM(pieces, holes));
}

PyDoc_STRVAR(events_doc,
             "events(pieces, fills, count, tombstones) -> list: texts whose holes between the pieces are filled.\n\n"
             "A fill is (shape, values, where they begin). tombstones: a None follows each text.");

static PyObject *shape_events(PyObject *self, PyObject *args) {
    PyObject *pieces, *given;
    Py_ssize_t count;
    int tombstones;
    if (!PyArg_ParseTuple(args, "O!O!np", &PyTuple_Type, &pieces, &PyTuple_Type, &given, &count, &tombstones))
        return NULL;
    Py_ssize_t holes = PyTuple_GET_SIZE(given);
    int failed = PyTuple_GET_SIZE(pieces) != holes + 1;
    for (Py_ssize_t i = 0; !failed && i <= holes; i++) failed = !PyBytes_CheckExact(PyTuple_GET_ITEM(pieces, i));
    if (failed) return PyErr_SetString(PyExc_ValueError, "a piece more than fills"), NULL;
    Fill *fills = PyMem_Calloc((size_t)holes + 1, sizeof(Fill));
    if (fills == NULL) return PyErr_NoMemory();
    for (Py_ssize_t i = 0; !failed && i < holes; i++)
        failed = read_fill(&fills[i], PyTuple_GET_ITEM(given, i), Py_TYPE(self));
    Text text = {0};
    PyObject *out = failed || text_room(&text, 1) < 0 ? NULL : PyList_New(0);
    for (Py_ssize_t i = 0; out != NULL && i < count; i++) {
        text.size = 0;
        if (add_event(&text, pieces, fills, holes, i) < 0 ||
            append(out, PyBytes_FromStringAndSize(text.data, text.size)) < 0 ||
            (tombstones && PyList_Append(out, Py_None) < 0))
            Py_CLEAR(out);
    }
    text_free(&text);
    PyMem_Free(fills);
    return out;
}

static PyMethodDef shape_methods[] = {
    {"rows", shape_rows, METH_VARARGS, rows_doc},
    {"events", shape_events, METH_VARARGS, events_doc},
    {0},
};

PyDoc_STRVAR(shape_doc,
             "Shape(part): a part is (op, which member of its struct, bytes ahead, bytes of a null or None, function or None,\n"
             "members of the tuple, parts).");

static PyType_Slot shape_slots[] = {
    {Py_tp_new, shape_new}, {Py_tp_dealloc, shape_free}, {Py_tp_methods, shape_methods}, {Py_tp_doc, (void *)shape_doc},
    {0, NULL},
};

static PyType_Spec shape_spec = {
    .name = "cdc.native._hot.Shape", .basicsize = sizeof(Shape), .flags = Py_TPFLAGS_DEFAULT, .slots = shape_slots,
};

int add_shapes(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &shape_spec, NULL);
    if (type == NULL) return -1;
    int failed = PyModule_AddObjectRef(module, "Shape", type);
    Py_DECREF(type);
    return failed;
}
