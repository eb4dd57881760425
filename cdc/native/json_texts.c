/* Values of a Connect schema to the JSON text that cdc/json/write.py makes of them. */

#include <math.h>

#include "shapes.h"

/* Decimal digits of `value` before `end`; where they begin. */
static char *digits_before(char *end, uint64_t value) {
    static const char PAIRS[] =
        "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748495051525354"
        "555657585960616263646566676869707172737475767778798081828384858687888990919293949596979899";
    for (; value >= 100; value /= 100) memcpy(end -= 2, PAIRS + value % 100 * 2, 2);
    if (value >= 10) return memcpy(end - 2, PAIRS + value * 2, 2);
    *--end = (char)('0' + value);
    return end;
}

static int add_whole(Text *text, const Part *part, PyObject *value) {
    (void)part;
    if (!PyLong_CheckExact(value)) return refuse("no whole number"), -1;
    int beyond;
    long long number = PyLong_AsLongLongAndOverflow(value, &beyond);
    if (beyond) return refuse("more than 64 bits"), -1;
    char room[20], *begin = digits_before(room + 20, number < 0 ? 0 - (uint64_t)number : (uint64_t)number);
    if (number < 0) *--begin = '-';
    return text_add(text, begin, room + 20 - begin);
}

__extension__ typedef unsigned __int128 Wide;

static const uint64_t POWERS[] = {
    1u, 10u, 100u, 1000u, 10000u, 100000u, 1000000u, 10000000u, 100000000u, 1000000000u, 10000000000u, 100000000000u,
    1000000000000u, 10000000000000u, 100000000000000u, 1000000000000000u, 10000000000000000u, 100000000000000000u,
    1000000000000000000u, 10000000000000000000u,
};

/* digits / 10^places with all its places, at least one. */
static int add_fixed(Text *text, int negative, uint64_t digits, int places) {
    char room[48], *end = room + sizeof room, *begin = end;
    if (places == 0) {
        *--begin = '0';
    } else {
        begin = digits_before(end, digits % POWERS[places]);
        while (end - begin < places) *--begin = '0';
    }
    *--begin = '.';
    begin = digits_before(begin, digits / POWERS[places]);
    if (negative) *--begin = '-';
    return text_add(text, begin, end - begin);
}

/* The decimal of fewest places that only mantissa / 2^shift is nearest to among the numbers of as many bits: gives the
 * places and sets its digits; -1 where it takes a closer look (a tie, a decimal in the middle of two numbers).
 *
 * All is exact: digits / 10^places is at `distance` / (2^shift * 10^places), and half a step of the last bit is
 * 1 / (2 * 2^shift), below a power of two only half of that. Of 10^places >= 2^shift there is always one near enough.
 */
static int shortest(uint64_t mantissa, int is_power, int shift, uint64_t *digits) {
    Wide one = (Wide)1 << shift, half = one >> 1;
    int places = shift * 3 / 10, found = -1;
    while (POWERS[places] < one) places++;
    for (; places >= 0; places--) {
        Wide exact = (Wide)mantissa * POWERS[places], whole = (exact + half) >> shift;
        Wide distance = (whole << shift) > exact ? (whole << shift) - exact : exact - (whole << shift);
        if (2 * distance > POWERS[places]) break;
        if (distance == half || (is_power ? 4 : 2) * distance >= POWERS[places]) return -1;
        *digits = (uint64_t)whole;
        found = places;
    }
    return found;
}

static int add_double(Text *text, const Part *part, PyObject *value) {
    if (!PyFloat_CheckExact(value)) return refuse("no floating point number"), -1;
    double number = PyFloat_AS_DOUBLE(value), size = fabs(number);
    if (size == 0) return signbit(number) ? text_add(text, "-0.0", 4) : text_add(text, "0.0", 3);
    if (!(size >= 0.001 && size < 1e7)) return add_called(text, part, value);
    uint64_t bits, digits;
    memcpy(&bits, &size, sizeof bits);
    uint64_t mantissa = (bits & ((1ull << 52) - 1)) | 1ull << 52;
    int places = shortest(mantissa, mantissa == 1ull << 52, 1075 - (int)(bits >> 52), &digits);
    return places < 0 ? add_called(text, part, value) : add_fixed(text, number < 0, digits, places);
}

static int add_single(Text *text, const Part *part, PyObject *value) {
    if (!PyFloat_CheckExact(value)) return refuse("no floating point number"), -1;
    double number = PyFloat_AS_DOUBLE(value), size = fabs(number);
    if (size == 0) return signbit(number) ? text_add(text, "-0.0", 4) : text_add(text, "0.0", 3);
    float single = size < 1e7 ? (float)size : 0;
    if (!((double)single >= 0.001 && single < 0x1p23f)) return add_called(text, part, value);
    uint32_t bits;
    uint64_t digits;
    memcpy(&bits, &single, sizeof bits);
    uint32_t mantissa = (bits & ((1u << 23) - 1)) | 1u << 23;
    int places = shortest(mantissa, mantissa == 1u << 23, 150 - (int)(bits >> 23), &digits);
    return places < 0 ? add_called(text, part, value) : add_fixed(text, number < 0, digits, places);
}

static const char HEX[] = "0123456789ABCDEF";

static inline char *put_unit(char *to, Py_UCS4 unit) {
    *to++ = '\\';
    *to++ = 'u';
    for (int shift = 12; shift >= 0; shift -= 4) *to++ = HEX[unit >> shift & 15];
    return to;
}

/* One character, of at most 12 bytes; NULL for half of a surrogate pair. */
static inline char *put_character(char *to, Py_UCS4 c) {
    static const char SHORT[] = {['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    if (c < 0x80) {
        if (c == '"' || c == '\\') {
            *to++ = '\\';
        } else if (c < 0x20) {
            if (c >= sizeof SHORT || !SHORT[c]) return put_unit(to, c);
            *to++ = '\\';
            c = (unsigned char)SHORT[c];
        }
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xC0 | c >> 6);
        *to++ = (char)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        if (c >= 0xD800 && c < 0xE000) return NULL;
        *to++ = (char)(0xE0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 63));
        *to++ = (char)(0x80 | (c & 63));
    } else {
        to = put_unit(to, 0xD800 + ((c - 0x10000) >> 10));
        to = put_unit(to, 0xDC00 + (c & 0x3FF));
    }
    return to;
}

#define PUT_ALL(type)                                                                   \
    for (Py_ssize_t i = 0; to != NULL && i < size; i++) to = put_character(to, ((const type *)data)[i])

/* Whether ASCII text stands in JSON as it is. */
static inline int is_plain(const unsigned char *data, Py_ssize_t size) {
    unsigned char found = 0;
    for (Py_ssize_t i = 0; i < size; i++) found |= (data[i] < 0x20) | (data[i] == '"') | (data[i] == '\\');
    return !found;
}

static int add_string(Text *text, const Part *part, PyObject *value) {
    (void)part;
    if (!PyUnicode_CheckExact(value)) return refuse("no text"), -1;
#if PY_VERSION_HEX < 0x030C0000
    if (!PyUnicode_IS_READY(value)) return refuse("a text in an old form"), -1;
#endif
    Py_ssize_t size = PyUnicode_GET_LENGTH(value);
    const void *data = PyUnicode_DATA(value);
    int kind = PyUnicode_KIND(value);
    int plain = PyUnicode_IS_ASCII(value) && is_plain(data, size);
    if (text_room(text, size * (plain ? 1 : kind == PyUnicode_4BYTE_KIND ? 12 : 6) + 2) < 0) return -1;
    char *to = text->data + text->size;
    *to++ = '"';
    if (plain) {
        memcpy(to, data, size);
        to += size;
    } else if (kind == PyUnicode_1BYTE_KIND) {
        PUT_ALL(Py_UCS1);
    } else if (kind == PyUnicode_2BYTE_KIND) {
        PUT_ALL(Py_UCS2);
    } else {
        PUT_ALL(Py_UCS4);
    }
    if (to == NULL) return refuse("half of a surrogate pair"), -1;
    *to++ = '"';
    text->size = to - text->data;
    return 0;
}

static int add_base64(Text *text, const unsigned char *data, Py_ssize_t size) {
    static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (text_room(text, (size + 2) / 3 * 4 + 2) < 0) return -1;
    char *to = text->data + text->size;
    *to++ = '"';
    for (; size > 0; data += 3, size -= 3) {
        uint32_t bits = (uint32_t)data[0] << 16;
        if (size > 1) bits |= (uint32_t)data[1] << 8;
        if (size > 2) bits |= data[2];
        *to++ = LETTERS[bits >> 18];
        *to++ = LETTERS[bits >> 12 & 63];
        *to++ = size > 1 ? LETTERS[bits >> 6 & 63] : '=';
        *to++ = size > 2 ? LETTERS[bits & 63] : '=';
    }
    *to++ = '"';
    text->size = to - text->data;
    return 0;
}

static int add_blob(Text *text, const Part *part, PyObject *value) {
    (void)part;
    if (!PyBytes_CheckExact(value)) return refuse("no bytes"), -1;
    return add_base64(text, (const unsigned char *)PyBytes_AS_STRING(value), PyBytes_GET_SIZE(value));
}

static int add_decimal(Text *text, const Part *part, PyObject *value) {
    return add_unscaled(text, part, value, add_base64);
}

static int add_boolean(Text *text, const Part *part, PyObject *value) {
    (void)part;
    if (value == Py_True) return text_add(text, "true", 4);
    return value == Py_False ? text_add(text, "false", 5) : (refuse("no boolean"), -1);
}

static int add_struct(Text *text, const Part *part, PyObject *row) {
    if (part->count == 0 && text_add(text, "{", 1) < 0) return -1;
    return add_members(text, part, row) < 0 ? -1 : text_add(text, "}", 1);
}

static int add_array(Text *text, const Part *part, PyObject *list) {
    if (text_add(text, "[", 1) < 0) return -1;
    return add_elements(text, part, list, ",") < 0 ? -1 : text_add(text, "]", 1);
}

const Op JSON_OPS[] = {
    {"json boolean", add_boolean}, {"json whole", add_whole}, {"json double", add_double}, {"json single", add_single},
    {"json string", add_string}, {"json blob", add_blob}, {"json decimal", add_decimal}, {"json struct", add_struct},
    {"json array", add_array}, {"json other", add_called}, {NULL, NULL},
};
