/* The rows of a MySQL rows event -> tuples, by a program that cdc/mysql/native_rows.py makes of a table.

   The reference is cdc/mysql/row_decoder.py. Every read is checked against the end of the rows; whatever is no ordinary
   row is refused. */

#include "mysql_values.h"

typedef struct {
    Py_ssize_t count;
    Op *ops;
    Py_ssize_t absent_count;
    Py_ssize_t *absent; /* places in the row that no column of the image fills */
} Image;

typedef struct {
    PyObject_HEAD
    Py_ssize_t width;
    int image_count, atomic; /* atomic: no value can be part of a reference cycle */
    Image images[2];
    PyObject *masks; /* a callable or None for each place in the row; or None */
} Program;

/* A row of one image; what it does not hold is taken from `before`, or is None. */
static PyObject *row_of(const Program *program, const Image *image, Input *in, PyObject *before) {
    const uint8_t *nulls = in->at;
    if (!has(in, (image->count + 7) / 8)) return NULL;
    in->at += (image->count + 7) / 8;
    PyObject *row = PyTuple_New(program->width);
    if (row == NULL) return NULL;
    for (Py_ssize_t i = 0; i < image->count; i++) {
        const Op *op = &image->ops[i];
        if (op->nullable && nulls[i >> 3] >> (i & 7) & 1) {
            if (op->target >= 0) PyTuple_SET_ITEM(row, op->target, Py_NewRef(Py_None));
        } else if (op->target < 0) {
            if (mysql_skip(op, in) < 0) goto failed;
        } else {
            PyObject *found = mysql_value(op, in);
            if (found == NULL) goto failed;
            PyTuple_SET_ITEM(row, op->target, found);
        }
    }
    for (Py_ssize_t i = 0; i < image->absent_count; i++) {
        Py_ssize_t place = image->absent[i];
        PyTuple_SET_ITEM(row, place, Py_NewRef(before == NULL ? Py_None : PyTuple_GET_ITEM(before, place)));
    }
    if (program->atomic) PyObject_GC_UnTrack(row);
    return row;
failed:
    Py_DECREF(row);
    return NULL;
}

/* Puts the masked values in the place of what they hide; takes the reference to `row`. */
static PyObject *masked(const Program *program, PyObject *row) {
    if (row == NULL || program->masks == Py_None) return row;
    PyObject *shown = PyTuple_New(program->width);
    for (Py_ssize_t i = 0; shown != NULL && i < program->width; i++) {
        PyObject *mask = PyTuple_GET_ITEM(program->masks, i), *item = PyTuple_GET_ITEM(row, i);
        item = mask == Py_None ? Py_NewRef(item) : PyObject_CallOneArg(mask, item);
        if (item == NULL) Py_CLEAR(shown);
        else PyTuple_SET_ITEM(shown, i, item);
    }
    Py_DECREF(row);
    return shown;
}

/* One row, or the pair of rows of an update. */
static PyObject *change_of(const Program *program, Input *in) {
    PyObject *first = row_of(program, &program->images[0], in, NULL);
    if (first == NULL || program->image_count == 1) return masked(program, first);
    PyObject *second = masked(program, row_of(program, &program->images[1], in, first)), *pair = NULL;
    if (second != NULL && (first = masked(program, first)) != NULL) pair = PyTuple_Pack(2, first, second);
    if (pair != NULL && program->atomic) PyObject_GC_UnTrack(pair);
    Py_XDECREF(first);
    Py_XDECREF(second);
    return pair;
}

static PyObject *decode(Program *program, PyObject *args, PyObject *kwargs) {
    PyObject *event;
    Py_ssize_t start, end;
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs)) return refuse("no keyword is known");
    if (!PyArg_ParseTuple(args, "Onn", &event, &start, &end)) return NULL;
    if (!PyBytes_CheckExact(event)) return refuse("the event is in a file");
    if (start < 0 || end < start || end > PyBytes_GET_SIZE(event)) return refuse("the event is shorter than its rows");
    const uint8_t *data = (const uint8_t *)PyBytes_AS_STRING(event);
    Input in = {data + start, data + end};
    PyObject *rows = PyList_New(0);
    while (rows != NULL && in.at < in.end) {
        PyObject *change = change_of(program, &in);
        if (change == NULL || PyList_Append(rows, change) < 0) Py_CLEAR(rows);
        Py_XDECREF(change);
    }
    return rows;
}

/* .singles(events, at, most, head, head_at, checksum) -> the rows of the events from `at` on, so many at most, as long
   as each has `head` at `head_at`, then one row, then a checksum of so many bytes, and is of the type of the first. */
static PyObject *singles(Program *program, PyObject *args) {
    PyObject *events, *head;
    Py_ssize_t at, most, head_at, checksum;
    if (!PyArg_ParseTuple(args, "O!nnSnn", &PyList_Type, &events, &at, &most, &head, &head_at, &checksum)) return NULL;
    Py_ssize_t head_size = PyBytes_GET_SIZE(head);
    if (at < 0 || head_at < 5 || checksum < 0) return refuse("no place in an event");
    PyObject *rows = PyList_New(0);
    int type = -1;
    for (; rows != NULL && at < PyList_GET_SIZE(events) && PyList_GET_SIZE(rows) < most; at++) {
        PyObject *event = PyList_GET_ITEM(events, at);
        if (!PyBytes_CheckExact(event) || PyBytes_GET_SIZE(event) < head_at + head_size + checksum) break;
        const uint8_t *data = (const uint8_t *)PyBytes_AS_STRING(event);
        if (type >= 0 && data[4] != type) break;
        type = data[4];
        if (memcmp(data + head_at, PyBytes_AS_STRING(head), head_size)) break;
        Input in = {data + head_at + head_size, data + PyBytes_GET_SIZE(event) - checksum};
        PyObject *change = in.at < in.end ? change_of(program, &in) : NULL;
        if (change != NULL && in.at == in.end) {
            if (PyList_Append(rows, change) < 0) Py_CLEAR(rows);
            Py_DECREF(change);
            continue;
        }
        Py_XDECREF(change);
        if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_Exception)) Py_CLEAR(rows);
        else PyErr_Clear(); /* the reference decides */
        break;
    }
    return rows;
}

/* Programs */

static int read_image(Program *program, PyObject *told, Image *image) {
    image->ops = PyMem_Calloc(PyTuple_GET_SIZE(told) + 1, sizeof(Op));
    image->absent = PyMem_Calloc(program->width + 1, sizeof(Py_ssize_t));
    char *filled = PyMem_Calloc(program->width + 1, 1);
    int result = 0;
    if (image->ops == NULL || image->absent == NULL || filled == NULL) {
        PyErr_NoMemory();
        result = -1;
    }
    for (Py_ssize_t i = 0; !result && i < PyTuple_GET_SIZE(told); i++) {
        Op *op = &image->ops[image->count++];
        result = mysql_read_op(PyTuple_GET_ITEM(told, i), program->width, op);
        if (op->kind == FIXED || op->kind == PAYLOAD) program->atomic = 0;
        if (!result && op->target >= 0 && filled[op->target]++) {
            PyErr_SetString(PyExc_ValueError, "two columns have one place in the row");
            result = -1;
        }
    }
    for (Py_ssize_t i = 0; !result && i < program->width; i++)
        if (!filled[i]) image->absent[image->absent_count++] = i;
    PyMem_Free(filled);
    return result;
}

static int traverse(Program *program, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(program));
    Py_VISIT(program->masks);
    for (int i = 0; i < 2; i++)
        for (Py_ssize_t j = 0; j < program->images[i].count; j++) {
            Py_VISIT(program->images[i].ops[j].object);
            Py_VISIT(program->images[i].ops[j].other);
        }
    return 0;
}

static int clear(Program *program) {
    Py_CLEAR(program->masks);
    for (int i = 0; i < 2; i++)
        for (Py_ssize_t j = 0; j < program->images[i].count; j++) {
            Py_CLEAR(program->images[i].ops[j].object);
            Py_CLEAR(program->images[i].ops[j].other);
        }
    return 0;
}

static void dealloc(Program *program) {
    PyTypeObject *type = Py_TYPE(program);
    PyObject_GC_UnTrack(program);
    clear(program);
    for (int i = 0; i < 2; i++) {
        PyMem_Free(program->images[i].ops);
        PyMem_Free(program->images[i].absent);
    }
    type->tp_free(program);
    Py_DECREF(type);
}

static PyObject *new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    Py_ssize_t width;
    PyObject *images, *masks;
    if (kwargs != NULL && PyDict_GET_SIZE(kwargs)) return refuse("no keyword is known");
    if (!PyArg_ParseTuple(args, "nO!O", &width, &PyTuple_Type, &images, &masks)) return NULL;
    Py_ssize_t count = PyTuple_GET_SIZE(images);
    int wrong = width < 0 || width > 1 << 16 || count < 1 || count > 2;
    wrong |= masks != Py_None && (!PyTuple_Check(masks) || PyTuple_GET_SIZE(masks) != width);
    for (Py_ssize_t i = 0, columns = 0; !wrong && i < count; i++) {
        PyObject *image = PyTuple_GET_ITEM(images, i);
        wrong = !PyTuple_Check(image) || ((columns += PyTuple_GET_SIZE(image)) == 0 && i == count - 1);
        for (Py_ssize_t j = 0; !wrong && j < PyTuple_GET_SIZE(image); j++)
            wrong = !PyTuple_Check(PyTuple_GET_ITEM(image, j));
    }
    if (wrong) {
        PyErr_SetString(PyExc_ValueError, "these are no images of rows");
        return NULL;
    }
    Program *program = (Program *)type->tp_alloc(type, 0);
    if (program == NULL) return NULL;
    program->width = width;
    program->image_count = (int)count;
    program->masks = Py_NewRef(masks);
    program->atomic = masks == Py_None;
    for (Py_ssize_t i = 0; i < count; i++)
        if (read_image(program, PyTuple_GET_ITEM(images, i), &program->images[i]) < 0) {
            Py_DECREF(program);
            return NULL;
        }
    return (PyObject *)program;
}

static PyMethodDef methods[] = {
    {"singles", (PyCFunction)singles, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot slots[] = {
    {Py_tp_methods, methods}, {Py_tp_new, new}, {Py_tp_call, decode}, {Py_tp_dealloc, dealloc}, {Py_tp_traverse, traverse}, {Py_tp_clear, clear},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "cdc.native._hot.MysqlRows", .basicsize = sizeof(Program),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE, .slots = slots,
};

int add_mysql_rows(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    if (type == NULL) return -1;
    int result = PyModule_AddObjectRef(module, "MysqlRows", type);
    Py_DECREF(type);
    return result;
}
