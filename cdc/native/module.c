/* The module: what its files add, and what they share. */

#include "hot.h"

PyObject *Refused;

PyObject *refuse(const char *why) {
    PyErr_SetString(Refused, why);
    return NULL;
}

int text_grow(Text *text, Py_ssize_t more) {
    if (more > PY_SSIZE_T_MAX / 2 - text->size) {
        PyErr_NoMemory();
        return -1;
    }
    Py_ssize_t room = text->room < 4096 ? 4096 : text->room;
    while (room - text->size < more) room *= 2;
    char *data = PyMem_Realloc(text->data, room);
    if (data == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    text->data = data;
    text->room = room;
    return 0;
}

void text_free(Text *text) {
    PyMem_Free(text->data);
    *text = (Text){0};
}

static int fill(PyObject *module) {
    Refused = PyErr_NewException("cdc.native._hot.Refused", PyExc_ValueError, NULL);
    if (Refused == NULL || PyModule_AddObjectRef(module, "Refused", Refused) < 0) return -1;
    if (add_mysql_rows(module) < 0 || add_mysql_packets(module) < 0 || add_mysql_texts(module) < 0) return -1;
    if (add_postgres_rows(module) < 0 || add_postgres_copy(module) < 0) return -1;
    return add_shapes(module) < 0 ? -1 : add_kafka_producer(module);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, fill}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "cdc.native._hot", .m_doc = "The compiled twin of the hot loops.",
    .m_size = 0, .m_slots = slots,
};

PyMODINIT_FUNC PyInit__hot(void) {
    return PyModuleDef_Init(&definition);
}
