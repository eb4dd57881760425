/* Numbers, dates and clocks that servers write as text; shared by the readers of rows. */

#ifndef TAILRACE_TEXTS_H
#define TAILRACE_TEXTS_H

#include <float.h>

#include "hot.h"

/* A value's text; `data` is NULL for null. */
typedef struct {
    const char *data;
    Py_ssize_t size;
} Span;

enum { MOST_DIGITS = 18 };

/* The number that is written in `size` ASCII digits, or -1. */
static inline int64_t digits(const char *at, Py_ssize_t size) {
    int64_t number = 0;
    if (size < 1 || size > MOST_DIGITS) return -1;
    for (Py_ssize_t i = 0; i < size; i++) {
        unsigned digit = (unsigned char)at[i] - '0';
        if (digit > 9) return -1;
        number = number * 10 + digit;
    }
    return number;
}

/* Days since 1970-01-01 of `2026-01-02`; -1 with what it cannot say: another form, or a date before 1583. */
static inline int date(const char *at, int64_t *days) {
    int64_t year = digits(at, 4), month = digits(at + 5, 2), day = digits(at + 8, 2);
    if (at[4] != '-' || at[7] != '-' || year < 1583 || month < 1 || month > 12 || day < 1 || day > 31) return -1;
    year -= month <= 2;
    int64_t of_era = year % 400, of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    *days = year / 400 * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
    return 0;
}

/* Seconds of the day of `03:04:05`, or -1. */
static inline int64_t clock_seconds(const char *at) {
    int64_t hour = digits(at, 2), minute = digits(at + 3, 2), second = digits(at + 6, 2);
    if (at[2] != ':' || at[5] != ':' || hour < 0 || minute < 0 || second < 0) return -1;
    return hour * 3600 + minute * 60 + second;
}

/* What follows gives a value, or NULL: with an exception set, or without one where the text is not of the usual form. */

static inline PyObject *whole(Span text) {
    int negative = text.size > 0 && text.data[0] == '-';
    Py_ssize_t size = text.size - negative;
    if (size < 1 || size > 19) return NULL;
    uint64_t number = 0;
    for (const char *at = text.data + negative, *end = at + size; at < end; at++) {
        unsigned digit = (unsigned char)*at - '0';
        if (digit > 9) return NULL;
        number = number * 10 + digit;
    }
    if (number > INT64_MAX) return NULL;
    return PyLong_FromLongLong(negative ? -(int64_t)number : (int64_t)number);
}

/* Digits and a point in between that make a number of at most 53 bits over a power of ten that is a double too: their
   quotient is the nearest number. 0: it takes a closer look. */
static inline int short_real(Span text, double *found) {
    static const double POWERS[] = {1,    1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9, 1e10,
                                    1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18};
    const char *at = text.data, *end = at + text.size, *point = NULL;
    int negative = text.size > 0 && *at == '-';
    at += negative;
    if (FLT_EVAL_METHOD != 0 || end - at < 1 || end - at > MOST_DIGITS || *at == '.' || end[-1] == '.') return 0;
    uint64_t number = 0;
    for (; at < end; at++) {
        unsigned digit = (unsigned char)*at - '0';
        if (digit <= 9) number = number * 10 + digit;
        else if (*at != '.' || point != NULL) return 0;
        else point = at;
    }
    if (number > 1ull << 53) return 0;
    double size = (double)number / POWERS[point == NULL ? 0 : end - point - 1];
    *found = negative ? -size : size;
    return 1;
}

static inline PyObject *real(Span text, int single) {
    char copy[48], *end;
    double number;
    if (!short_real(text, &number)) {
        if (text.size < 1 || text.size >= (Py_ssize_t)sizeof copy) return NULL;
        for (Py_ssize_t i = 0; i < text.size; i++) {
            char c = text.data[i];
            if ((c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c != 'e') return NULL;
            copy[i] = c;
        }
        copy[text.size] = 0;
        number = PyOS_string_to_double(copy, &end, NULL);
        if (PyErr_Occurred()) {
            PyErr_Clear();
            return NULL;
        }
        if (end != copy + text.size) return NULL;
    }
    return PyFloat_FromDouble(single ? (double)(float)number : number);
}

#endif
