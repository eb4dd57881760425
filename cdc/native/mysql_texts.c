/* Rows of a SELECT, as MySQL's text protocol has their values -> tuples, by a program of cdc/mysql/native_texts.py.

   The reference is cdc/mysql/snapshot_values.py. A text of the usual form is read here, any other is given to the
   column's Python function; rows of another form are refused. */

#include "texts.h"

typedef enum { CALL, TEXT, BYTES, INT, TRUTH, BIT, FLOAT, SINGLE, DECIMAL, PLAIN, DAYS, DATETIME, TIMESTAMP } Kind;
static const char *const KINDS[] = {"call",    "text",  "bytes", "int",      "truth",     "bit", "float", "single",
                                    "decimal", "plain", "days",  "datetime", "timestamp", NULL};
static const int64_t POWERS[] = {1, 10, 100, 1000, 10000, 100000, 1000000};
static const int64_t NANOS = 1000000000;

/* How to read one column. `a`, `b`: what the kind needs to know, said in native_texts.py. */
typedef struct {
    Kind kind;
    Py_ssize_t a, b;
    int optional;
    PyObject *read, *mask;
} Column;

typedef struct {
    PyObject_HEAD
    Py_ssize_t count;
    Column *columns;
} Texts;

/* What follows gives a value, or NULL: with an exception set, or without one where the text is not of the usual form. */

/* The digits of a number with or without a point. */
static PyObject *decimal(Span text) {
    int negative = text.size > 0 && text.data[0] == '-', points = 0;
    int64_t number = 0;
    if (text.size - negative < 2 || text.size - negative > MOST_DIGITS) return whole(text);
    for (const char *at = text.data + negative, *end = text.data + text.size; at < end; at++) {
        unsigned digit = (unsigned char)*at - '0';
        if (digit <= 9) number = number * 10 + digit;
        else if (*at != '.' || points++) return NULL;
    }
    return PyLong_FromLongLong(negative ? -number : number);
}

static PyObject *ascii(const char *data, Py_ssize_t size) {
    PyObject *made = PyUnicode_New(size, 127);
    if (made != NULL) memcpy(PyUnicode_1BYTE_DATA(made), data, size);
    return made;
}

/* A number with so many places that is written as Java writes it. */
static PyObject *plain(Span text, Py_ssize_t places) {
    int negative = text.size > 0 && text.data[0] == '-', is_zero = 1;
    Py_ssize_t before = text.size - negative - (places ? places + 1 : 0);
    const char *at = text.data + negative, *end = text.data + text.size;
    if (before < 1 || (before > 1 && *at == '0')) return NULL;
    for (const char *point = at + before; at < end; at++) {
        if (at == point ? *at != '.' : (unsigned char)(*at - '0') > 9) return NULL;
        is_zero &= *at == '0' || *at == '.';
    }
    return negative && is_zero ? NULL : ascii(text.data, text.size);
}

static int day_number(const char *at, int64_t *days) {
    if (date(at, days) < 0) return -1;
    int64_t year = digits(at, 4), month = digits(at + 5, 2), day = digits(at + 8, 2);
    int leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    int most = month == 2 ? 28 + leap : month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
    return day <= most ? 0 : -1;
}

static PyObject *days(Span text) {
    int64_t found;
    return text.size == 10 && day_number(text.data, &found) == 0 ? PyLong_FromLongLong(found) : NULL;
}

/* Whether the text is a date, a space, a clock, and so many digits after a point. */
static int is_moment(Span text, Py_ssize_t places) {
    return text.size == 19 + (places ? places + 1 : 0) && text.data[10] == ' ' && (!places || text.data[19] == '.');
}

/* `unit`: what is counted, in a second. */
static PyObject *datetime(Span text, int64_t unit, Py_ssize_t places) {
    int64_t day, seconds, rest = 0;
    if (!is_moment(text, places) || day_number(text.data, &day) < 0) return NULL;
    if (unit == NANOS && (day < -90000 || day > 106000)) return NULL; /* may not fit 64 bits */
    seconds = clock_seconds(text.data + 11);
    if (places) rest = digits(text.data + 20, places);
    if (seconds < 0 || rest < 0) return NULL;
    rest = unit < POWERS[places] ? rest / (POWERS[places] / unit) : rest * (unit / POWERS[places]);
    return PyLong_FromLongLong((day * 86400 + seconds) * unit + rest);
}

/* `2026-01-02 03:04:05.600` as `2026-01-02T03:04:05.6Z`. */
static PyObject *timestamp(Span text, Py_ssize_t places) {
    int64_t unused;
    if (!is_moment(text, places) || date(text.data, &unused) < 0 || clock_seconds(text.data + 11) < 0) return NULL;
    if (places && digits(text.data + 20, places) < 0) return NULL;
    Py_ssize_t size = text.size;
    if (places) {
        while (text.data[size - 1] == '0') size--;
        if (text.data[size - 1] == '.') size--;
    }
    PyObject *made = PyUnicode_New(size + 1, 127);
    if (made == NULL) return NULL;
    char *to = (char *)PyUnicode_1BYTE_DATA(made);
    memcpy(to, text.data, size);
    to[10] = 'T';
    to[size] = 'Z';
    return made;
}

static PyObject *utf8(Span text) {
    PyObject *made = PyUnicode_DecodeUTF8(text.data, text.size, NULL);
    if (made == NULL && PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) PyErr_Clear();
    return made;
}

static PyObject *truth(Span text) {
    PyObject *number = whole(text);
    if (number == NULL) return NULL;
    int is_true = PyObject_IsTrue(number);
    Py_DECREF(number);
    return is_true < 0 ? NULL : PyBool_FromLong(is_true);
}

static PyObject *usual(const Column *column, PyObject *cell) {
    Span text = {PyBytes_AS_STRING(cell), PyBytes_GET_SIZE(cell)};
    switch (column->kind) {
        case TEXT: return utf8(text);
        case BYTES: return text.size >= column->a ? Py_NewRef(cell) : NULL;
        case INT: return whole(text);
        case TRUTH: return truth(text);
        case BIT: return text.size ? PyBool_FromLong(text.data[text.size - 1] & 1) : NULL;
        case FLOAT: return real(text, 0);
        case SINGLE: return real(text, 1);
        case DECIMAL: return decimal(text);
        case PLAIN: return plain(text, column->a);
        case DAYS: return days(text);
        case DATETIME: return datetime(text, column->a, column->b);
        case TIMESTAMP: return timestamp(text, column->a);
        default: return NULL;
    }
}

/* A column's value; NULL with an exception set. */
static PyObject *value(const Column *column, PyObject *cell) {
    PyObject *made;
    if (cell == Py_None) {
        if (!column->optional) return refuse("null where none is expected");
        made = Py_NewRef(Py_None);
    } else {
        if (!PyBytes_CheckExact(cell)) return refuse("a value is bytes");
        made = usual(column, cell);
        if (made == NULL && !PyErr_Occurred()) made = PyObject_CallOneArg(column->read, cell);
    }
    if (made == NULL || column->mask == Py_None) return made;
    PyObject *masked = PyObject_CallOneArg(column->mask, made);
    Py_DECREF(made);
    return masked;
}

/* What holds no containers needs no look of the garbage collector. */
static PyObject *row_of(const Texts *self, PyObject *cells) {
    if (!PyTuple_CheckExact(cells) || PyTuple_GET_SIZE(cells) != self->count) return refuse("no row of so many values");
    PyObject *row = PyTuple_New(self->count);
    int atomic = 1;
    for (Py_ssize_t i = 0; row != NULL && i < self->count; i++) {
        PyObject *made = value(&self->columns[i], PyTuple_GET_ITEM(cells, i));
        if (made == NULL) {
            Py_CLEAR(row);
        } else {
            atomic &= !PyObject_IS_GC(made);
            PyTuple_SET_ITEM(row, i, made);
        }
    }
    if (row != NULL && atomic) PyObject_GC_UnTrack(row);
    return row;
}

static PyObject *texts_call(Texts *self, PyObject *arguments, PyObject *names) {
    PyObject *cells;
    if (names != NULL && PyDict_GET_SIZE(names) > 0) return PyErr_SetString(PyExc_TypeError, "no named arguments"), NULL;
    if (!PyArg_ParseTuple(arguments, "O!", &PyList_Type, &cells)) return NULL;
    PyObject *rows = PyList_New(0);
    for (Py_ssize_t i = 0; rows != NULL && i < PyList_GET_SIZE(cells); i++) {
        PyObject *each = Py_NewRef(PyList_GET_ITEM(cells, i)); /* a function that is called could change the list */
        PyObject *row = row_of(self, each);
        Py_DECREF(each);
        if (row == NULL || PyList_Append(rows, row) < 0) Py_CLEAR(rows);
        Py_XDECREF(row);
    }
    return rows;
}

static int is_known(const Column *column) {
    switch (column->kind) {
        case PLAIN: return column->a >= 0 && column->a <= 1000;
        case DATETIME:
            return (column->a == 1000 || column->a == 1000000 || column->a == NANOS) && column->b >= 0 && column->b <= 6;
        case TIMESTAMP: return column->a >= 0 && column->a <= 6;
        default: return 1;
    }
}

static int set_column(Column *column, PyObject *given) {
    const char *kind;
    PyObject *read, *mask;
    Column set = {0};
    if (!PyTuple_Check(given)) return PyErr_SetString(PyExc_TypeError, "a column is told by a tuple"), -1;
    if (!PyArg_ParseTuple(given, "snnpOO", &kind, &set.a, &set.b, &set.optional, &read, &mask)) return -1;
    int found = 0;
    while (KINDS[found] != NULL && strcmp(KINDS[found], kind) != 0) found++;
    set.kind = (Kind)found;
    if (KINDS[found] == NULL || !is_known(&set)) return PyErr_SetString(PyExc_ValueError, "no such kind of column"), -1;
    set.read = Py_NewRef(read);
    set.mask = Py_NewRef(mask);
    *column = set;
    return 0;
}

static PyObject *texts_new(PyTypeObject *type, PyObject *arguments, PyObject *Py_UNUSED(names)) {
    PyObject *given;
    if (!PyArg_ParseTuple(arguments, "O!", &PyTuple_Type, &given)) return NULL;
    Texts *self = (Texts *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    Py_ssize_t count = PyTuple_GET_SIZE(given);
    self->columns = PyMem_Calloc(count + 1, sizeof(Column));
    if (self->columns == NULL) PyErr_NoMemory();
    while (self->columns != NULL && self->count < count &&
           set_column(&self->columns[self->count], PyTuple_GET_ITEM(given, self->count)) == 0)
        self->count++;
    if (!PyErr_Occurred()) return (PyObject *)self;
    Py_DECREF(self);
    return NULL;
}

static int texts_traverse(Texts *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    for (Py_ssize_t i = 0; i < self->count; i++) {
        Py_VISIT(self->columns[i].read);
        Py_VISIT(self->columns[i].mask);
    }
    return 0;
}

static int texts_clear(Texts *self) {
    Py_ssize_t count = self->count;
    self->count = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_CLEAR(self->columns[i].read);
        Py_CLEAR(self->columns[i].mask);
    }
    return 0;
}

static void texts_dealloc(Texts *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    texts_clear(self);
    PyMem_Free(self->columns);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot type_slots[] = {
    {Py_tp_new, texts_new}, {Py_tp_dealloc, texts_dealloc}, {Py_tp_traverse, texts_traverse},
    {Py_tp_clear, texts_clear}, {Py_tp_call, texts_call}, {0, NULL},
};

static PyType_Spec spec = {
    "cdc.native._hot.MysqlTexts", sizeof(Texts), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, type_slots,
};

int add_mysql_texts(PyObject *module) {
    PyObject *type = PyType_FromSpec(&spec);
    if (type == NULL) return -1;
    int result = PyModule_AddObjectRef(module, "MysqlTexts", type);
    Py_DECREF(type);
    return result;
}
