/* The values of the columns of a MySQL rows event.

   The reference is cdc/mysql/column_decoder.py. Every read is checked against the end of the rows; whatever is no ordinary
   value is refused. */

#include "mysql_values.h"

/* The name of each kind, and how many bytes `size` may be. */
static const struct {
    const char *name;
    Py_ssize_t least, most;
} kinds[KINDS] = {
    [SKIP] = {"skip", 0, 9999}, [SKIP_PAYLOAD] = {"skip_payload", 1, 8}, [SIGNED] = {"signed", 1, 8},
    [UNSIGNED] = {"unsigned", 1, 8}, [BOOLEAN] = {"boolean", 1, 1}, [BIT] = {"bit", 1, 1}, [BITS] = {"bits", 0, 9999},
    [YEAR] = {"year", 1, 1}, [FLOAT] = {"float", 4, 4}, [DOUBLE] = {"double", 8, 8}, [SINGLE] = {"single", 8, 8},
    [DECIMAL] = {"decimal", 1, 19}, [DECIMAL_TEXT] = {"decimal_text", 1, 19},
    [DECIMAL_DOUBLE] = {"decimal_double", 1, 19}, [UTF8] = {"utf8", 1, 8}, [ASCII] = {"ascii", 1, 8},
    [LATIN1] = {"latin1", 1, 8}, [TEXT] = {"text", 1, 8}, [BYTES] = {"bytes", 1, 8}, [ENUM] = {"enum", 1, 8},
    [SET] = {"set", 1, 8}, [DATE] = {"date", 3, 3}, [DATE_TEXT] = {"date_text", 3, 3},
    [DATETIME] = {"datetime", 0, 3}, [DATETIME_TEXT] = {"datetime_text", 0, 3}, [TIMESTAMP] = {"timestamp", 0, 3},
    [OLD_TIMESTAMP] = {"old_timestamp", 0, 0}, [TIME] = {"time", 0, 3}, [TIME_TEXT] = {"time_text", 0, 3},
    [FIXED] = {"fixed", 0, 9999}, [PAYLOAD] = {"payload", 1, 8},
};

static const int64_t powers[] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000,
};
static const int digit_bytes[] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
static const int64_t micros_per_count[] = {0, 10000, 100, 1};
static const int64_t DAY_SECONDS = 86400, DAY_MICROS = 86400000000;
static const char *const AS_JAVA = "tailrace-as-java";

/* A length of `size` bytes and so many bytes after it; NULL: refused. */
static inline const uint8_t *payload(Input *in, Py_ssize_t size, Py_ssize_t *length) {
    if (!has(in, size)) return NULL;
    uint64_t found = little(in->at, size);
    in->at += size;
    if (!has(in, found)) return NULL;
    const uint8_t *start = in->at;
    in->at += found;
    *length = (Py_ssize_t)found;
    return start;
}

static inline PyObject *ascii(const char *text, Py_ssize_t size) {
    PyObject *made = PyUnicode_New(size, 127);
    if (made != NULL) memcpy(PyUnicode_1BYTE_DATA(made), text, size);
    return made;
}

/* Writes a number with at least so many digits; gives where it ends. */
static inline char *digits(char *to, uint64_t number, int width) {
    char reversed[20];
    int size = 0;
    do {
        reversed[size++] = '0' + number % 10;
        number /= 10;
    } while (number);
    while (size < width) reversed[size++] = '0';
    while (size) *to++ = reversed[--size];
    return to;
}

static inline int64_t floor_div(int64_t number, int64_t by) {
    return number / by - (number % by < 0);
}

/* Temporal values; see cdc/mysql/temporal.py */

/* Days since 1970-01-01; 0: the calendar has no such day. */
static inline int day_number(int64_t year, int month, int day, int64_t *days) {
    static const int days_of[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (month < 1 || month > 12 || day < 1) return 0;
    int leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (day > days_of[month - 1] + (leap && month == 2)) return 0;
    int64_t shifted = year - (month <= 2); /* counted from March; -1 for January and February of year 0 */
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    *days = shifted * 365 + floor_div(shifted, 4) - floor_div(shifted, 100) + floor_div(shifted, 400) + day_of_year
            - 719468;
    return 1;
}

static inline int64_t full_year(int64_t year, int adjust) {
    if (!adjust || year > 99) return year;
    return year <= 69 ? year + 2000 : year + 1900;
}

static inline char *two(char *to, int number) {
    *to++ = '0' + number / 10;
    *to++ = '0' + number % 10;
    return to;
}

static inline char *date_text(char *to, int64_t days) {
    int64_t shifted = days + 719468, era = floor_div(shifted, 146097), day_of_era = shifted - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted_month = (5 * day_of_year + 2) / 153;
    int month = (int)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
    to = digits(to, (uint64_t)(year_of_era + era * 400 + (month <= 2)), 4);
    *to++ = '-';
    to = two(to, month);
    *to++ = '-';
    return two(to, (int)(day_of_year - (153 * shifted_month + 2) / 5 + 1));
}

static inline char *clock_text(char *to, int64_t seconds) {
    to = two(to, (int)(seconds / 3600));
    *to++ = ':';
    to = two(to, (int)(seconds / 60 % 60));
    *to++ = ':';
    return two(to, (int)(seconds % 60));
}

/* A fraction with the digits it needs and no more. */
static inline char *short_fraction(char *to, int64_t micros) {
    if (!micros) return to;
    *to++ = '.';
    to = digits(to, (uint64_t)micros, 6);
    while (to[-1] == '0') to--;
    return to;
}

static PyObject *date(const Op *op, Input *in) {
    if (!has(in, 3)) return NULL;
    uint64_t packed = little(in->at, 3);
    in->at += 3;
    int month = packed >> 5 & 15, day = packed & 31;
    int64_t year = packed >> 9, days;
    if (!year || !month || !day) return Py_NewRef(op->object);
    if (!day_number(full_year(year, (int)op->a), month, day, &days)) return Py_NewRef(op->other);
    if (op->kind == DATE) return PyLong_FromLongLong(days);
    char text[32], *end = date_text(text, days);
    *end++ = 'Z';
    return ascii(text, end - text);
}

static PyObject *datetime(const Op *op, Input *in) {
    if (!has(in, 5 + op->size)) return NULL;
    uint64_t packed = big(in->at, 5), count = big(in->at + 5, op->size);
    in->at += 5 + op->size;
    uint64_t months = packed >> 22 & 0x1FFFF;
    int64_t year = months / 13, days;
    int month = months % 13, day = packed >> 17 & 31;
    if (!year) return Py_NewRef(op->object);
    if (!day_number(full_year(year, (int)op->b), month, day, &days))
        return Py_NewRef(month && day ? op->other : op->object);
    int64_t seconds = ((packed >> 12 & 31) * 60 + (packed >> 6 & 63)) * 60 + (packed & 63);
    uint64_t unit = (uint64_t)op->a, micros = (uint64_t)micros_per_count[op->size];
    /* Nanoseconds beyond 64 bits wrap around, as in Java. */
    uint64_t total = (uint64_t)(days * DAY_SECONDS + seconds) * unit;
    uint64_t millionths = micros * unit; /* of a unit, in one count of the fraction */
    if (millionths) total += millionths >= 1000000 ? count * (millionths / 1000000) : count / (1000000 / millionths);
    if (op->kind == DATETIME) return PyLong_FromLongLong((int64_t)total);
    int64_t second = floor_div((int64_t)total, 1000000), midnight = floor_div(second, DAY_SECONDS);
    char text[48], *end = date_text(text, midnight);
    *end++ = 'T';
    end = clock_text(end, second - midnight * DAY_SECONDS);
    end = short_fraction(end, (int64_t)total - second * 1000000);
    *end++ = 'Z';
    return ascii(text, end - text);
}

static PyObject *timestamp(const Op *op, Input *in) {
    if (!has(in, 4 + op->size)) return NULL;
    int64_t seconds = op->kind == OLD_TIMESTAMP ? little(in->at, 4) : big(in->at, 4);
    uint64_t count = big(in->at + 4, op->size);
    in->at += 4 + op->size;
    int wanted = (int)op->a;
    if (wanted % 2) count /= 10;
    if (count >= (uint64_t)powers[wanted]) return refuse("a fraction of more than a second");
    char text[48], *end = date_text(text, seconds / DAY_SECONDS);
    *end++ = 'T';
    end = clock_text(end, seconds % DAY_SECONDS);
    if (wanted) {
        *end++ = '.';
        end = digits(end, count, wanted);
    }
    *end++ = 'Z';
    return ascii(text, end - text);
}

static PyObject *time_of_day(const Op *op, Input *in) {
    if (!has(in, 3 + op->size)) return NULL;
    int bits = 8 * (int)op->size;
    int64_t stored = (int64_t)big(in->at, 3 + op->size) - (1LL << (bits + 23));
    in->at += 3 + op->size;
    int64_t packed = stored < 0 ? -stored : stored, clock = packed >> bits;
    int64_t seconds = ((clock >> 12) * 60 + (clock >> 6 & 63)) * 60 + (clock & 63);
    int64_t micros = seconds * 1000000 + (packed & ((1LL << bits) - 1)) * micros_per_count[op->size];
    if (stored < 0) micros = -micros;
    if (op->b && (micros < 0 || micros > DAY_MICROS))
        return op->b == 2 ? refuse("a TIME outside of a day") : Py_NewRef(Py_None);
    if (op->kind == TIME) return PyLong_FromLongLong(op->a == 1000000000 ? micros * 1000 : micros / (1000000 / op->a));
    char text[24], *end = clock_text(text, micros / 1000000 % DAY_SECONDS);
    end = short_fraction(end, micros % 1000000);
    *end++ = 'Z';
    return ascii(text, end - text);
}

/* Numbers */

static PyObject *wide(__int128 number) {
    if (number >= INT64_MIN && number <= INT64_MAX) return PyLong_FromLongLong((int64_t)number);
#if PY_VERSION_HEX >= 0x030D0000
    return PyLong_FromNativeBytes(&number, sizeof number, -1);
#else
    return _PyLong_FromByteArray((const unsigned char *)&number, sizeof number, 1, 1);
#endif
}

/* The unscaled number of a DECIMAL of up to 38 digits; 0: refused. */
static inline int decimal(const Op *op, Input *in, __int128 *number) {
    if (!has(in, op->size)) return 0;
    const uint8_t *at = in->at;
    in->at += op->size;
    int whole = (int)(op->a - op->b), scale = (int)op->b;
    int counts[] = {whole % 9, whole / 9, scale / 9, scale % 9};
    uint8_t mask = *at & 0x80 ? 0 : 0xFF, first = 0x80;
    uint64_t low = 0; /* at most 18 digits */
    __int128 found = 0;
    int taken = 0;
    for (int i = 0; i < 4; i++) {
        int each = i == 0 || i == 3 ? counts[i] : 9;
        for (int left = i == 0 || i == 3 ? each > 0 : counts[i]; left; left--) {
            uint64_t group = 0;
            for (int byte = digit_bytes[each]; byte; byte--) {
                group = group << 8 | (uint8_t)(*at++ ^ mask ^ first);
                first = 0;
            }
            if (group >= (uint64_t)powers[each]) {
                refuse("a group of a DECIMAL with too great a number");
                return 0;
            }
            taken += each;
            if (taken <= 18) {
                low = low * (uint64_t)powers[each] + group;
                found = low;
            } else {
                found = found * powers[each] + group;
            }
        }
    }
    *number = mask ? -found : found;
    return 1;
}

static PyObject *decimal_text(__int128 number, int scale) {
    char reversed[64], text[64];
    int size = 0;
    unsigned __int128 rest = number < 0 ? -(unsigned __int128)number : (unsigned __int128)number;
    for (; rest >> 64; rest /= 10) reversed[size++] = '0' + (int)(rest % 10);
    for (uint64_t low = (uint64_t)rest; low; low /= 10) reversed[size++] = '0' + low % 10;
    while (size < scale + 1) reversed[size++] = '0';
    char *end = text;
    if (number < 0) *end++ = '-';
    while (size) {
        *end++ = reversed[--size];
        if (scale && size == scale) *end++ = '.';
    }
    return ascii(text, end - text);
}

/* As Python divides integers: rounded once. `ten` is 10 ** scale. */
static PyObject *decimal_double(__int128 number, int scale, PyObject *ten) {
    const __int128 exact = (__int128)1 << 53;
    if (number > -exact && number < exact && scale <= 9)
        return PyFloat_FromDouble((double)(int64_t)number / (double)powers[scale]);
    PyObject *left = wide(number);
    if (left == NULL) return NULL;
    PyObject *made = PyNumber_TrueDivide(left, ten);
    Py_DECREF(left);
    return made;
}

/* Texts and bytes */

static inline int is_ascii(const uint8_t *text, Py_ssize_t size) {
    uint8_t seen = 0;
    for (Py_ssize_t i = 0; i < size; i++) seen |= text[i];
    return seen < 0x80;
}

/* What a function of bytes gives. */
static PyObject *called(PyObject *function, const char *raw, Py_ssize_t size) {
    PyObject *given = PyBytes_FromStringAndSize(raw, size);
    if (given == NULL) return NULL;
    PyObject *made = PyObject_CallOneArg(function, given);
    Py_DECREF(given);
    return made;
}

static PyObject *text(const Op *op, Input *in) {
    Py_ssize_t size;
    const char *raw = (const char *)payload(in, op->size, &size);
    if (raw == NULL) return NULL;
    if (op->kind == LATIN1) return PyUnicode_DecodeLatin1(raw, size, NULL);
    if (size == 1 && !(raw[0] & 0x80)) return PyUnicode_DecodeLatin1(raw, 1, NULL); /* one object for each */
    if (is_ascii((const uint8_t *)raw, size)) return ascii(raw, size);
    if (op->kind == UTF8) return PyUnicode_DecodeUTF8(raw, size, AS_JAVA);
    if (op->kind == ASCII) return PyUnicode_DecodeASCII(raw, size, AS_JAVA);
    return called(op->object, raw, size);
}

static PyObject *bytes(const Op *op, Input *in) {
    Py_ssize_t size;
    const uint8_t *raw = payload(in, op->size, &size);
    if (raw == NULL) return NULL;
    if (size >= op->a) return PyBytes_FromStringAndSize((const char *)raw, size);
    PyObject *made = PyBytes_FromStringAndSize(NULL, op->a);
    if (made == NULL) return NULL;
    memcpy(PyBytes_AS_STRING(made), raw, size);
    memset(PyBytes_AS_STRING(made) + size, 0, op->a - size);
    return made;
}

static PyObject *set(const Op *op, uint64_t members) {
    PyObject *key = PyLong_FromUnsignedLongLong(members);
    if (key == NULL) return NULL;
    PyObject *found = PyObject_GetItem(op->object, key);
    Py_DECREF(key);
    return found;
}

PyObject *mysql_value(const Op *op, Input *in) {
    __int128 number;
    const uint8_t *raw = in->at;
    Py_ssize_t size = op->size;
    switch (op->kind) {
    case UTF8: case ASCII: case LATIN1: case TEXT: return text(op, in);
    case BYTES: return bytes(op, in);
    case DATE: case DATE_TEXT: return date(op, in);
    case DATETIME: case DATETIME_TEXT: return datetime(op, in);
    case TIMESTAMP: case OLD_TIMESTAMP: return timestamp(op, in);
    case TIME: case TIME_TEXT: return time_of_day(op, in);
    case DECIMAL: return decimal(op, in, &number) ? wide(number) : NULL;
    case DECIMAL_TEXT: return decimal(op, in, &number) ? decimal_text(number, (int)op->b) : NULL;
    case DECIMAL_DOUBLE: return decimal(op, in, &number) ? decimal_double(number, (int)op->b, op->object) : NULL;
    case PAYLOAD:
        if ((raw = payload(in, size, &size)) == NULL) return NULL;
        return called(op->object, (const char *)raw, size);
    default: break;
    }
    if (!has(in, size)) return NULL;
    in->at += size;
    switch (op->kind) {
    case SIGNED: return PyLong_FromLongLong((int64_t)(little(raw, size) << (64 - 8 * size)) >> (64 - 8 * size));
    case UNSIGNED: return PyLong_FromUnsignedLongLong(little(raw, size));
    case BOOLEAN: return PyBool_FromLong(raw[0]);
    case BIT: return PyBool_FromLong(raw[0] & 1);
    case YEAR: return PyLong_FromLong(raw[0] + 1900L);
    case BITS: {
        PyObject *made = PyBytes_FromStringAndSize(NULL, size);
        for (Py_ssize_t i = 0; made != NULL && i < size; i++) PyBytes_AS_STRING(made)[i] = (char)raw[size - 1 - i];
        return made;
    }
    case FLOAT: {
        uint32_t bits = (uint32_t)little(raw, 4);
        float found;
        memcpy(&found, &bits, 4);
        return PyFloat_FromDouble(found);
    }
    case DOUBLE: case SINGLE: {
        uint64_t bits = little(raw, 8);
        double found;
        memcpy(&found, &bits, 8);
        return PyFloat_FromDouble(op->kind == SINGLE ? (double)(float)found : found);
    }
    case ENUM: {
        uint64_t member = little(raw, size);
        if (member >= (uint64_t)PyTuple_GET_SIZE(op->object)) return refuse("an ENUM has no such member");
        return Py_NewRef(PyTuple_GET_ITEM(op->object, member));
    }
    case SET: return set(op, little(raw, size));
    default: return called(op->object, (const char *)raw, size); /* FIXED */
    }
}

int mysql_skip(const Op *op, Input *in) {
    Py_ssize_t size = op->size;
    if (op->kind == SKIP_PAYLOAD) return payload(in, size, &size) == NULL ? -1 : 0;
    if (!has(in, size)) return -1;
    in->at += size;
    return 0;
}

/* How to read a column */

static int decimal_size(int64_t precision, int64_t scale) {
    int64_t whole = precision - scale;
    return (int)(whole / 9 * 4 + digit_bytes[whole % 9] + scale / 9 * 4 + digit_bytes[scale % 9]);
}

/* Whether an op can be followed without harm. */
static int is_sound(const Op *op, Py_ssize_t width) {
    if (op->kind == KINDS || op->size < kinds[op->kind].least || op->size > kinds[op->kind].most) return 0;
    if (op->target >= width || (op->target < 0) != (op->kind <= SKIP_PAYLOAD)) return 0;
    switch (op->kind) {
    case DECIMAL: case DECIMAL_TEXT: case DECIMAL_DOUBLE:
        return op->b >= 0 && op->a >= op->b && op->a <= 38 && op->size == decimal_size(op->a, op->b);
    case DATETIME: case DATETIME_TEXT: case TIME: case TIME_TEXT:
        return op->a == 1000 || op->a == 1000000 || op->a == 1000000000;
    case TIMESTAMP: return op->a >= 0 && op->a <= 6 && op->size == (op->a + 1) / 2;
    case OLD_TIMESTAMP: return op->a == 0;
    case ENUM: return PyTuple_Check(op->object);
    default: return 1;
    }
}

int mysql_read_op(PyObject *told, Py_ssize_t width, Op *op) {
    const char *kind;
    long long a, b;
    if (!PyArg_ParseTuple(told, "spnnLLOO", &kind, &op->nullable, &op->target, &op->size, &a, &b, &op->object,
                          &op->other)) {
        op->object = op->other = NULL;
        return -1;
    }
    Py_INCREF(op->object);
    Py_INCREF(op->other);
    op->a = a;
    op->b = b;
    while (op->kind < KINDS && strcmp(kinds[op->kind].name, kind)) op->kind++;
    if (!is_sound(op, width)) {
        PyErr_Format(PyExc_ValueError, "a column cannot be read by %R", told);
        return -1;
    }
    return 0;
}
