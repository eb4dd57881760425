/* Row tuples of PostgreSQL: from frames of the WAL, and from lines of COPY.

   The twin of cdc/postgres/row_decoder.py and cdc/postgres/copy_rows.py. What a column's reader makes of a text of the
   usual form is made here; a text of another form is given to the reader, a frame or line of another form is refused. */

#include "texts.h"

typedef enum { TEXT, CALL, INT, FLOAT, SINGLE, TRUTH, NUMERIC, HEX, DAYS, MICROS, MILLIS, TIME, ZONED } Kind;
static const char *const KINDS[] = {"text", "call", "int",    "float",  "single", "truth", "numeric",
                                    "hex",  "days", "micros", "millis", "time",   "zoned", NULL};

/* How one column of a row tuple is made; see row_decoder.Read. `argument`: what the kind needs to know. */
typedef struct {
    Py_ssize_t place;
    Kind kind;
    long argument;
    int required;
    PyObject *read, *null, *nothing;
} Column;

typedef struct {
    PyObject_HEAD
    Py_ssize_t columns, count;
    Column *reads;
} Rows;

enum { HEADER = 25, PREFIX = 8, MOST_COLUMNS = 1 << 15 };

/* Microseconds of the day of `03:04:05`. */
static int second(const char *at, int64_t *micros) {
    int64_t found = clock_seconds(at);
    *micros = found * 1000000;
    return found < 0 ? -1 : 0;
}

/* Microseconds of `.123`: a point and one to six digits, or nothing. */
static int fraction(const char *at, Py_ssize_t size, int64_t *micros) {
    static const int64_t SCALES[] = {1000000, 100000, 10000, 1000, 100, 10, 1};
    *micros = 0;
    if (size == 0) return 0;
    if (at[0] != '.' || size > 7) return -1;
    int64_t number = digits(at + 1, size - 1);
    if (number < 0) return -1;
    *micros = number * SCALES[size - 1];
    return 0;
}

static int moment(Span text, int64_t *micros) {
    int64_t days, of_day, rest;
    if (text.size < 19 || text.data[10] != ' ' || date(text.data, &days) < 0 || second(text.data + 11, &of_day) < 0 ||
        fraction(text.data + 19, text.size - 19, &rest) < 0)
        return -1;
    *micros = days * 86400000000 + of_day + rest;
    return 0;
}

/* What follows gives a value, or NULL: with an exception set, or without one where the text is not of the usual form. */

static PyObject *numeric(Span text, Py_ssize_t scale) {
    if (scale == 0) return whole(text);
    int negative = text.size > 0 && text.data[0] == '-';
    Py_ssize_t before = text.size - negative - scale - 1;
    if (before < 1 || before + scale > MOST_DIGITS || text.data[negative + before] != '.') return NULL;
    int64_t number = digits(text.data + negative, before), rest = digits(text.data + text.size - scale, scale);
    if (number < 0 || rest < 0) return NULL;
    for (Py_ssize_t i = 0; i < scale; i++) number *= 10;
    number += rest;
    return PyLong_FromLongLong(negative ? -number : number);
}

static int nibble(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static PyObject *hexadecimal(Span text) {
    if (text.size < 2 || text.size % 2 || text.data[0] != '\\' || text.data[1] != 'x') return NULL;
    PyObject *raw = PyBytes_FromStringAndSize(NULL, text.size / 2 - 1);
    if (raw == NULL) return NULL;
    char *to = PyBytes_AS_STRING(raw);
    for (Py_ssize_t i = 2; i < text.size; i += 2) {
        int high = nibble(text.data[i]), low = nibble(text.data[i + 1]);
        if (high < 0 || low < 0) {
            Py_DECREF(raw);
            return NULL;
        }
        *to++ = (char)(high << 4 | low);
    }
    return raw;
}

static PyObject *days(Span text) {
    int64_t found;
    return text.size == 10 && date(text.data, &found) == 0 ? PyLong_FromLongLong(found) : NULL;
}

static PyObject *micros(Span text, int64_t unit) {
    int64_t found;
    if (moment(text, &found) < 0) return NULL;
    return PyLong_FromLongLong(found / unit - (found % unit < 0));
}

/* `unit`: how many microseconds count as one. */
static PyObject *time_of_day(Span text, int64_t unit) {
    int64_t found, rest;
    if (text.size < 8 || second(text.data, &found) < 0 || fraction(text.data + 8, text.size - 8, &rest) < 0) return NULL;
    return PyLong_FromLongLong((found + rest) / unit);
}

/* `2026-01-02 03:04:05.6+00` as `2026-01-02T03:04:05.600Z`, with so many digits after the point. */
static PyObject *zoned(Span text, Py_ssize_t shown) {
    int64_t unused;
    Py_ssize_t size = text.size - 3;
    if (size < 19 || memcmp(text.data + size, "+00", 3) != 0 || moment((Span){text.data, size}, &unused) < 0) return NULL;
    Py_ssize_t length = 20 + (shown ? shown + 1 : 0), known = size > 20 ? size - 20 : 0;
    PyObject *made = PyUnicode_New(length, 127);
    if (made == NULL) return NULL;
    char *to = (char *)PyUnicode_1BYTE_DATA(made);
    memcpy(to, text.data, 19);
    to[10] = 'T';
    if (shown) {
        to[19] = '.';
        memset(to + 20, '0', shown);
        memcpy(to + 20, text.data + 20, known < shown ? known : shown);
    }
    to[length - 1] = 'Z';
    return made;
}

static PyObject *usual(const Column *column, Span text) {
    switch (column->kind) {
        case INT: return whole(text);
        case FLOAT: return real(text, 0);
        case SINGLE: return real(text, 1);
        case TRUTH: return PyBool_FromLong(text.size == 1 && text.data[0] == 't');
        case NUMERIC: return numeric(text, column->argument);
        case HEX: return hexadecimal(text);
        case DAYS: return days(text);
        case MICROS: return micros(text, 1);
        case MILLIS: return micros(text, 1000);
        case TIME: return time_of_day(text, column->argument);
        case ZONED: return zoned(text, column->argument);
        default: return NULL;
    }
}

/* A column's value; NULL with an exception set. */
static PyObject *value(const Column *column, Span text, int required) {
    if (text.data == NULL) return required ? refuse("null where none is expected") : Py_NewRef(column->null);
    if (column->kind == TEXT) return PyUnicode_DecodeUTF8(text.data, text.size, NULL);
    PyObject *made = usual(column, text);
    if (made != NULL || PyErr_Occurred()) return made;
    PyObject *given = PyUnicode_DecodeUTF8(text.data, text.size, NULL);
    if (given == NULL) return NULL;
    made = PyObject_CallOneArg(column->read, given);
    Py_DECREF(given);
    if (made != Py_None || !column->required) return made;
    Py_DECREF(made);
    return Py_NewRef(column->nothing);
}

/* The tuple of one row. What holds no containers needs no look of the garbage collector. */
static PyObject *row_of(const Rows *self, const Span *texts, int is_key) {
    PyObject *row = PyTuple_New(self->count);
    if (row == NULL) return NULL;
    int plain = 1;
    for (Py_ssize_t i = 0; i < self->count; i++) {
        const Column *column = &self->reads[i];
        PyObject *made = value(column, texts[column->place], column->required && !is_key);
        if (made == NULL) {
            Py_DECREF(row);
            return NULL;
        }
        plain &= !PyObject_IS_GC(made);
        PyTuple_SET_ITEM(row, i, made);
    }
    if (plain && self->count) PyObject_GC_UnTrack(row);
    return row;
}

/* The texts of one tuple; the position after it, or NULL. Nothing is read at or beyond `end`. */
static const char *tuple_of(const char *at, const char *end, Span *texts, Py_ssize_t columns) {
    for (Py_ssize_t i = 0; i < columns; i++) {
        if (at == end) return NULL;
        if (*at == 'n') {
            texts[i] = (Span){NULL, 0};
            at++;
            continue;
        }
        if (*at != 't' || end - at < 5) return NULL;
        const unsigned char *size = (const unsigned char *)at + 1;
        Py_ssize_t length = (Py_ssize_t)size[0] << 24 | size[1] << 16 | size[2] << 8 | size[3];
        at += 5;
        if (end - at < length) return NULL;
        texts[i] = (Span){at, length};
        at += length;
    }
    return at;
}

/* The row of one frame, of an update the pair (before or None, after); NULL with an exception set. */
static PyObject *change_of(const Rows *self, PyObject *frame, Span *texts) {
    const char *data = PyBytes_AS_STRING(frame), *end = data + PyBytes_GET_SIZE(frame), *prefix = data + HEADER;
    const char count[3] = {'N', (char)(self->columns >> 8), (char)self->columns};
    if (memcmp(prefix + 6, count + 1, 2) != 0) return refuse("another number of columns");
    const char *at = tuple_of(prefix + PREFIX, end, texts, self->columns);
    if (at == NULL) return refuse("a tuple of another form");
    int is_pair = prefix[0] == 'U' && prefix[5] != 'N';
    if (is_pair ? end - at < 3 || memcmp(at, count, 3) != 0 : at != end) return refuse("a tuple of another length");
    PyObject *first = row_of(self, texts, prefix[5] == 'K');
    if (first == NULL || prefix[0] != 'U') return first;
    PyObject *second = NULL;
    if (is_pair) {
        at = tuple_of(at + 3, end, texts, self->columns);
        if (at != end) refuse("a tuple of another form");
        else second = row_of(self, texts, 0);
    } else {
        second = first;
        first = Py_NewRef(Py_None);
    }
    PyObject *pair = second == NULL ? NULL : PyTuple_Pack(2, first, second);
    if (pair != NULL && !PyObject_GC_IsTracked(first) && !PyObject_GC_IsTracked(second)) PyObject_GC_UnTrack(pair);
    Py_DECREF(first);
    Py_XDECREF(second);
    return pair;
}

static Span *room_for_texts(const Rows *self) {
    Span *texts = PyMem_Malloc((self->columns + 1) * sizeof(Span));
    if (texts == NULL) PyErr_NoMemory();
    return texts;
}

static int append_new(PyObject *list, PyObject *item) {
    if (item == NULL) return -1;
    int result = PyList_Append(list, item);
    Py_DECREF(item);
    return result;
}

static PyObject *lsn_of(const char *frame) {
    return PyLong_FromUnsignedLongLong(big((const uint8_t *)frame + 1, 8));
}

static PyObject *rows_frames(Rows *self, PyObject *arguments) {
    PyObject *slow, *damage, *frames, *rows, *lsns;
    const char *prefix;
    Py_ssize_t at, size;
    if (!PyArg_ParseTuple(arguments, "y#OOOnO!O!", &prefix, &size, &slow, &damage, &frames, &at, &PyList_Type, &rows,
                          &PyList_Type, &lsns))
        return NULL;
    if (size != PREFIX || at < 0) return refuse("no prefix of a change");
    if ((frames = PySequence_Fast(frames, "frames are a sequence")) == NULL) return NULL;
    Span *texts = room_for_texts(self);
    int failed = texts == NULL;
    for (; !failed && at < PySequence_Fast_GET_SIZE(frames); at++) {
        PyObject *frame = PySequence_Fast_GET_ITEM(frames, at);
        if (!PyBytes_Check(frame)) {
            PyErr_SetString(PyExc_TypeError, "a frame is bytes");
            failed = 1;
            break;
        }
        const char *data = PyBytes_AS_STRING(frame);
        if (PyBytes_GET_SIZE(frame) < HEADER + PREFIX || memcmp(data + HEADER, prefix, PREFIX) != 0) break;
        Py_INCREF(frame);
        failed = append_new(lsns, lsn_of(data)) < 0;
        if (!failed) {
            PyObject *change = change_of(self, frame, texts);
            if (change == NULL && PyErr_ExceptionMatches(damage)) {
                PyErr_Clear();
                change = PyObject_CallOneArg(slow, frame);
            }
            failed = append_new(rows, change) < 0;
        }
        Py_DECREF(frame);
    }
    PyMem_Free(texts);
    Py_DECREF(frames);
    return failed ? NULL : PyLong_FromSsize_t(at);
}

/* A text of COPY as it was before it was escaped, written to `scratch`; -1 with an exception set. */
static int unescape(Span *text, Text *scratch) {
    Py_ssize_t start = scratch->size;
    if (text_room(scratch, text->size) < 0) return -1;
    char *to = scratch->data + start;
    for (const char *at = text->data, *end = at + text->size; at < end; at++) {
        if (*at != '\\') {
            *to++ = *at;
            continue;
        }
        if (++at == end) {
            refuse("a backslash at the end of a value");
            return -1;
        }
        switch (*at) {
            case 'b': *to++ = '\b'; break;
            case 'f': *to++ = '\f'; break;
            case 'n': *to++ = '\n'; break;
            case 'r': *to++ = '\r'; break;
            case 't': *to++ = '\t'; break;
            case 'v': *to++ = '\v'; break;
            case '\\': *to++ = '\\'; break;
            default: refuse("an escape of another form"); return -1;
        }
    }
    scratch->size = to - scratch->data;
    text->size = scratch->size - start;
    text->data = scratch->data + start;
    return 0;
}

/* The texts of one line that ends at `end`; -1 with an exception set. */
static int line_of(const Rows *self, const char *at, const char *end, Span *texts, Text *scratch) {
    scratch->size = 0;
    /* Room for the whole line: what is written must not move. */
    int escapes = memchr(at, '\\', end - at) != NULL;
    if (escapes && text_room(scratch, end - at) < 0) return -1;
    for (Py_ssize_t i = 0; i < self->columns; i++) {
        int is_last = i + 1 == self->columns;
        const char *tab = memchr(at, '\t', end - at);
        if ((tab == NULL) != is_last) {
            refuse("a line of another number of columns");
            return -1;
        }
        texts[i] = (Span){at, (is_last ? end : tab) - at};
        if (escapes && texts[i].size == 2 && memcmp(at, "\\N", 2) == 0) texts[i] = (Span){NULL, 0};
        else if (escapes && memchr(at, '\\', texts[i].size) != NULL && unescape(&texts[i], scratch) < 0) return -1;
        at = is_last ? end : tab + 1;
    }
    return 0;
}

static PyObject *rows_lines(Rows *self, PyObject *given) {
    if (!PyBytes_Check(given)) return refuse("lines are bytes");
    const char *at = PyBytes_AS_STRING(given), *end = at + PyBytes_GET_SIZE(given);
    if (self->columns == 0) return refuse("a table without columns");
    PyObject *rows = PyList_New(0);
    Span *texts = room_for_texts(self);
    Text scratch = {0};
    int failed = rows == NULL || texts == NULL;
    while (!failed && at < end) {
        const char *newline = memchr(at, '\n', end - at);
        if (newline == NULL) {
            refuse("a line without an end");
            failed = 1;
            break;
        }
        failed = line_of(self, at, newline, texts, &scratch) < 0 || append_new(rows, row_of(self, texts, 0)) < 0;
        at = newline + 1;
    }
    PyMem_Free(texts);
    text_free(&scratch);
    if (failed) Py_CLEAR(rows);
    return rows;
}

static int set_column(Column *column, PyObject *given, Py_ssize_t columns) {
    const char *kind;
    PyObject *read, *null, *nothing;
    Column set = {0};
    if (!PyTuple_Check(given)) {
        PyErr_SetString(PyExc_TypeError, "a reader of a column is a tuple");
        return -1;
    }
    if (!PyArg_ParseTuple(given, "nslOpOO", &set.place, &kind, &set.argument, &read, &set.required, &null, &nothing))
        return -1;
    int found = 0;
    while (KINDS[found] != NULL && strcmp(KINDS[found], kind) != 0) found++;
    set.kind = (Kind)found;
    if (KINDS[found] == NULL || set.place < 0 || set.place >= columns || set.argument < 0 ||
        (set.kind == NUMERIC && set.argument > MOST_DIGITS) || (set.kind == ZONED && set.argument > 6) ||
        (set.kind == TIME && set.argument < 1)) {
        PyErr_SetString(PyExc_ValueError, "no such reader of a column");
        return -1;
    }
    set.read = Py_NewRef(read);
    set.null = Py_NewRef(null);
    set.nothing = Py_NewRef(nothing);
    *column = set;
    return 0;
}

static PyObject *rows_new(PyTypeObject *type, PyObject *arguments, PyObject *Py_UNUSED(names)) {
    Py_ssize_t columns;
    PyObject *given;
    if (!PyArg_ParseTuple(arguments, "nO!", &columns, &PyTuple_Type, &given)) return NULL;
    if (columns < 0 || columns >= MOST_COLUMNS) return refuse("a table of too many columns");
    Rows *self = (Rows *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    Py_ssize_t count = PyTuple_GET_SIZE(given);
    self->columns = columns;
    self->reads = PyMem_Calloc(count + 1, sizeof(Column));
    if (self->reads == NULL) PyErr_NoMemory();
    while (self->reads != NULL && self->count < count &&
           set_column(&self->reads[self->count], PyTuple_GET_ITEM(given, self->count), columns) == 0)
        self->count++;
    if (!PyErr_Occurred()) return (PyObject *)self;
    Py_DECREF(self);
    return NULL;
}

static int rows_traverse(Rows *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    for (Py_ssize_t i = 0; i < self->count; i++) {
        Py_VISIT(self->reads[i].read);
        Py_VISIT(self->reads[i].null);
        Py_VISIT(self->reads[i].nothing);
    }
    return 0;
}

static int rows_clear(Rows *self) {
    Py_ssize_t count = self->count;
    self->count = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_CLEAR(self->reads[i].read);
        Py_CLEAR(self->reads[i].null);
        Py_CLEAR(self->reads[i].nothing);
    }
    return 0;
}

static void rows_dealloc(Rows *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    rows_clear(self);
    PyMem_Free(self->reads);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyMethodDef methods[] = {
    {"frames", (PyCFunction)rows_frames, METH_VARARGS, "(prefix, slow, damage, frames, at, rows, lsns) -> index after."},
    {"lines", (PyCFunction)rows_lines, METH_O, "The row tuples of lines of COPY."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot type_slots[] = {
    {Py_tp_new, rows_new}, {Py_tp_dealloc, rows_dealloc}, {Py_tp_traverse, rows_traverse}, {Py_tp_clear, rows_clear},
    {Py_tp_methods, methods}, {0, NULL},
};

static PyType_Spec spec = {
    "cdc.native._hot.PostgresRows", sizeof(Rows), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, type_slots,
};

int add_postgres_rows(PyObject *module) {
    PyObject *type = PyType_FromSpec(&spec);
    if (type == NULL) return -1;
    int result = PyModule_AddObjectRef(module, "PostgresRows", type);
    Py_DECREF(type);
    return result;
}
