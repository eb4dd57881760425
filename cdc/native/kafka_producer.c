/* A Kafka producer that takes a batch of records in one call, without the interpreter lock.

   It is a client of librdkafka like confluent_kafka's own, and of the very library that confluent_kafka brought into
   the process. Callbacks run inside poll, flush and the transaction calls, on the thread that made the call. */

#include "hot.h"

#ifdef _WIN32

int add_kafka_producer(PyObject *module) {
    (void)module; /* dlopen is not there: confluent_kafka's producer does it all */
    return 0;
}

#else

#include <dlfcn.h>

#include "kafka.h"

#define FIELD(result, name, arguments) result(*name) arguments;
static struct {
    KAFKA_FUNCTIONS(FIELD)
} rd;

static int found;

static int find(const char *library) {
    if (found) return 0;
    void *loaded = dlopen(library, RTLD_NOLOAD | RTLD_LAZY);
    if (loaded == NULL) return PyErr_Format(PyExc_ImportError, "%s is not loaded", library), -1;
    void *at;
#define FIND(result, name, arguments) \
    if ((at = dlsym(loaded, "rd_kafka_" #name)) == NULL) goto missing; \
    memcpy(&rd.name, &at, sizeof at);
    KAFKA_FUNCTIONS(FIND)
    found = 1; /* `loaded` is never closed: the functions stay */
    return 0;
missing:
    dlclose(loaded);
    PyErr_Format(PyExc_ImportError, "%s shows no librdkafka", library);
    return -1;
}

typedef struct {
    Headers **data;
    size_t count, room;
} Stack;

enum { MOST_READY = 1 << 16 };

static void push(Stack *stack, Headers *headers) {
    if (stack->count == stack->room) {
        size_t room = stack->room == 0 ? 256 : stack->room * 2;
        Headers **data = room > MOST_READY ? NULL : realloc(stack->data, room * sizeof *data);
        if (data == NULL) {
            rd.headers_destroy(headers);
            return;
        }
        stack->data = data;
        stack->room = room;
    }
    stack->data[stack->count++] = headers;
}

static void stack_free(Stack *stack) {
    while (stack->count > 0) rd.headers_destroy(stack->data[--stack->count]);
    free(stack->data);
    *stack = (Stack){0};
}

/* The headers that most records have, as a list for each record on its way: a list belongs to one record, and to make
   it takes longer than all else about the record. Delivered records give theirs back. */
typedef struct {
    PyObject *pairs; /* NULL until there are any */
    Headers *made;   /* copied when no list is ready */
    uintptr_t number; /* of these pairs, never 0; the opaque of records that have such a list */
    Stack ready;
} Shared;

static void shared_free(Shared *shared) {
    if (shared->made != NULL) rd.headers_destroy(shared->made);
    stack_free(&shared->ready);
    Py_XDECREF(shared->pairs);
    *shared = (Shared){.number = shared->number + 1};
}

/* Lists of delivered records, while a call is under way without the interpreter lock. */
typedef struct {
    uintptr_t number;
    Stack stack;
} Caught;

static _Thread_local Caught *catching;

typedef struct {
    PyObject_HEAD
    Client *client;   /* NULL once destroyed */
    PyObject *told;   /* who hears of failed deliveries, errors and log lines, and makes exceptions */
    PyObject *topics; /* name -> Topic * */
    Shared shared;
    int calls;        /* under way without the interpreter lock */
    int closed;       /* the last call destroys the client */
    int unheard;      /* a failed delivery or an error that `told` could not take */
} Producer;

static PyObject *text(const char *from) {
    return PyUnicode_DecodeUTF8(from == NULL ? "" : from, from == NULL ? 0 : (Py_ssize_t)strlen(from), "replace");
}

/* Raises what `told` makes of an error; NULL. */
static PyObject *fail(Producer *self, int code, const char *why, int fatal, int retriable, int abort) {
    PyObject *reason = text(why);
    PyObject *error = reason == NULL ? NULL : PyObject_CallMethod(self->told, "exception", "iOiii", code, reason, fatal,
                                                                  retriable, abort);
    if (error != NULL) PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    Py_XDECREF(error);
    Py_XDECREF(reason);
    return NULL;
}

static PyObject *fail_with(Producer *self, Error *error) {
    fail(self, rd.error_code(error), rd.error_string(error), rd.error_is_fatal(error), rd.error_is_retriable(error),
         rd.error_txn_requires_abort(error));
    rd.error_destroy(error);
    return NULL;
}

/* An answer that is an exception must not be lost with it: every later call fails. */
static void heard(Producer *self, PyObject *answer) {
    if (answer == NULL) {
        self->unheard = 1;
        PyErr_WriteUnraisable((PyObject *)self);
    }
    Py_XDECREF(answer);
}

static void on_delivery(Client *client, const Message *message, void *opaque) {
    (void)client;
    Producer *self = opaque;
    if (message->err == 0) {
        Headers *headers;
        if (catching != NULL && message->opaque != NULL && message->opaque == (void *)catching->number &&
            rd.message_detach_headers((Message *)message, &headers) == 0)
            push(&catching->stack, headers);
        return;
    }
    PyGILState_STATE state = PyGILState_Ensure();
    if (self->told != NULL) {
        PyObject *topic = text(rd.topic_name(message->topic));
        heard(self, topic == NULL ? NULL : PyObject_CallMethod(self->told, "undelivered", "iOn", message->err, topic,
                                                               (Py_ssize_t)(message->key_size + message->value_size)));
        Py_XDECREF(topic);
    }
    PyGILState_Release(state);
}

static void on_error(Client *client, int code, const char *why, void *opaque) {
    Producer *self = opaque;
    char fatal[512];
    int is_fatal = code == ERR_FATAL;
    if (is_fatal) {
        code = rd.fatal_error(client, fatal, sizeof fatal);
        why = fatal;
    }
    PyGILState_STATE state = PyGILState_Ensure();
    if (self->told != NULL) {
        PyObject *reason = text(why);
        heard(self, reason == NULL ? NULL : PyObject_CallMethod(self->told, "complained", "iOi", code, reason, is_fatal));
        Py_XDECREF(reason);
    }
    PyGILState_Release(state);
}

static void on_log(const Client *client, int level, const char *facility, const char *line) {
    Producer *self = rd.opaque(client);
    PyGILState_STATE state = PyGILState_Ensure();
    if (self->told != NULL) {
        PyObject *what = text(line);
        PyObject *answer = what == NULL ? NULL : PyObject_CallMethod(self->told, "logged", "issO", level, facility,
                                                                     rd.name(client), what);
        if (answer == NULL) PyErr_WriteUnraisable((PyObject *)self);
        Py_XDECREF(answer);
        Py_XDECREF(what);
    }
    PyGILState_Release(state);
}

static void destroy(Producer *self) {
    Client *client = self->client;
    PyObject *topics = self->topics, *name, *topic;
    Py_ssize_t at = 0;
    if (client == NULL) return;
    self->client = NULL;
    self->topics = NULL;
    while (topics != NULL && PyDict_Next(topics, &at, &name, &topic)) rd.topic_destroy(PyLong_AsVoidPtr(topic));
    Py_XDECREF(topics);
    shared_free(&self->shared);
    Py_BEGIN_ALLOW_THREADS
    rd.destroy(client);
    Py_END_ALLOW_THREADS
}

/* The client, which stays until `end`; NULL with an exception set. */
static Client *begin(Producer *self) {
    if (self->closed || self->client == NULL) {
        fail(self, ERR_DESTROY, "the producer is closed", 0, 0, 0);
        return NULL;
    }
    self->calls++;
    return self->client;
}

static void leave(Producer *self) {
    if (--self->calls == 0 && self->closed) destroy(self);
}

/* -1 with an exception set when something was not heard. */
static int end(Producer *self) {
    leave(self);
    if (!self->unheard) return 0;
    fail(self, ERR_FAIL, "an error of the client was lost", 0, 0, 0);
    return -1;
}

static int set(Producer *self, Conf *conf, PyObject *name, PyObject *value) {
    char why[512];
    const char *wanted = PyUnicode_AsUTF8(name), *given = wanted == NULL ? NULL : PyUnicode_AsUTF8(value);
    if (given == NULL) return -1;
    if (rd.conf_set(conf, wanted, given, why, sizeof why) == CONF_OK) return 0;
    fail(self, ERR_INVALID_ARG, why, 0, 0, 0);
    return -1;
}

static int open_client(Producer *self, PyObject *settings) {
    PyObject *name, *value;
    Py_ssize_t at = 0;
    char why[512] = "Failed to create producer: ";
    size_t said = strlen(why);
    Conf *conf = rd.conf_new();
    rd.conf_set_opaque(conf, self);
    rd.conf_set_dr_msg_cb(conf, on_delivery);
    rd.conf_set_error_cb(conf, on_error);
    rd.conf_set_log_cb(conf, on_log);
    rd.conf_set(conf, "log.queue", "true", NULL, 0); /* log lines wait for poll, as everything does */
    while (PyDict_Next(settings, &at, &name, &value))
        if (set(self, conf, name, value) < 0) {
            rd.conf_destroy(conf);
            return -1;
        }
    Py_BEGIN_ALLOW_THREADS
    self->client = rd.new(PRODUCER, conf, why + said, sizeof why - said);
    Py_END_ALLOW_THREADS
    if (self->client == NULL) {
        fail(self, rd.last_error(), why, 0, 0, 0);
        rd.conf_destroy(conf);
        return -1;
    }
    rd.set_log_queue(self->client, NULL);
    return 0;
}

static PyObject *producer_new(PyTypeObject *type, PyObject *args, PyObject *names) {
    const char *library;
    PyObject *told, *settings;
    (void)names;
    if (!PyArg_ParseTuple(args, "sOO!", &library, &told, &PyDict_Type, &settings) || find(library) < 0) return NULL;
    Producer *self = (Producer *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->told = Py_NewRef(told);
    self->topics = PyDict_New();
    if (self->topics == NULL || open_client(self, settings) < 0) Py_CLEAR(self);
    return (PyObject *)self;
}

static int producer_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(((Producer *)self)->told);
    return 0;
}

static int producer_clear(PyObject *self) {
    Py_CLEAR(((Producer *)self)->told);
    return 0;
}

static void producer_free(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    producer_clear(self);
    destroy((Producer *)self);
    Py_XDECREF(((Producer *)self)->topics);
    type->tp_free(self);
    Py_DECREF(type);
}

typedef struct {
    const char *key, *value;
    Py_ssize_t key_size, value_size;
    int64_t timestamp;
    Headers *headers; /* its own; NULL: it has none */
    uintptr_t number; /* of the shared headers, if it has those */
} Record;

/* Records as the library takes them. The tuples hold what the records point to. */
typedef struct {
    PyObject *keys, *values, *headers, *timestamps;
    Record *records;
    Py_ssize_t from, read, count; /* records that are read: [from, read) */
    Headers *made;                /* what the last record with other than the shared headers has a copy of */
    int shared;                   /* the last record that was read has the shared headers */
} Batch;

/* `handed`: the first record that still has its headers. */
static void batch_free(Producer *self, Batch *batch, Py_ssize_t handed) {
    for (Py_ssize_t i = handed; batch->records != NULL && i < batch->read; i++) {
        Record *record = &batch->records[i];
        if (record->number != 0 && record->number == self->shared.number)
            push(&self->shared.ready, record->headers);
        else if (record->headers != NULL)
            rd.headers_destroy(record->headers);
    }
    if (batch->made != NULL) rd.headers_destroy(batch->made);
    PyMem_Free(batch->records);
    Py_XDECREF(batch->keys);
    Py_XDECREF(batch->values);
    Py_XDECREF(batch->headers);
    Py_XDECREF(batch->timestamps);
}

static int read_bytes(PyObject *item, const char **data, Py_ssize_t *size) {
    *data = NULL;
    *size = 0;
    if (item == Py_None) return 0;
    if (!PyBytes_Check(item)) return PyErr_Format(PyExc_TypeError, "%R is not bytes", Py_TYPE(item)), -1;
    *data = PyBytes_AS_STRING(item);
    *size = PyBytes_GET_SIZE(item);
    return 0;
}

static int add_header(Headers *headers, PyObject *pair) {
    PyObject *named, *item;
    const char *value;
    Py_ssize_t name_size, size;
    if (!PyTuple_Check(pair) || !PyArg_ParseTuple(pair, "UO", &named, &item))
        return PyErr_SetString(PyExc_TypeError, "a header is a name and bytes"), -1;
    const char *name = PyUnicode_AsUTF8AndSize(named, &name_size);
    if (name == NULL || read_bytes(item, &value, &size) < 0) return -1;
    return rd.header_add(headers, name, name_size, value, size) == 0 ? 0 : (PyErr_NoMemory(), -1);
}

static Headers *make_headers(PyObject *pairs) {
    Headers *headers = rd.headers_new((size_t)PyTuple_GET_SIZE(pairs));
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(pairs); i++)
        if (add_header(headers, PyTuple_GET_ITEM(pairs, i)) < 0) {
            rd.headers_destroy(headers);
            return NULL;
        }
    return headers;
}

/* Finds out what the headers of the records from here on are. The first of a batch become the shared ones. */
static int read_headers(Producer *self, Batch *batch, PyObject *given, int first) {
    Shared *shared = &self->shared;
    PyObject *pairs = PySequence_Tuple(given);
    if (pairs == NULL) return -1;
    int none = PyTuple_GET_SIZE(pairs) == 0;
    int same = none || shared->pairs == NULL ? 0 : PyObject_RichCompareBool(pairs, shared->pairs, Py_EQ);
    if (batch->made != NULL) rd.headers_destroy(batch->made);
    batch->made = none || same != 0 ? NULL : make_headers(pairs);
    batch->shared = same;
    if (same == 0 && first && batch->made != NULL) {
        shared_free(shared);
        shared->pairs = Py_NewRef(pairs);
        shared->made = batch->made;
        batch->made = NULL;
        batch->shared = 1;
    }
    Py_DECREF(pairs);
    return PyErr_Occurred() ? -1 : 0;
}

static int read_record(Producer *self, Batch *batch, Py_ssize_t i) {
    Shared *shared = &self->shared;
    Record *record = &batch->records[i];
    PyObject *headers = PyTuple_GET_ITEM(batch->headers, i);
    int first = i == batch->from;
    if (read_bytes(PyTuple_GET_ITEM(batch->keys, i), &record->key, &record->key_size) < 0 ||
        read_bytes(PyTuple_GET_ITEM(batch->values, i), &record->value, &record->value_size) < 0)
        return -1;
    record->timestamp = 0;
    if (batch->timestamps != NULL) {
        record->timestamp = PyLong_AsLongLong(PyTuple_GET_ITEM(batch->timestamps, i));
        if (record->timestamp == -1 && PyErr_Occurred()) return -1;
    }
    if ((first || headers != PyTuple_GET_ITEM(batch->headers, i - 1)) && read_headers(self, batch, headers, first) < 0)
        return -1;
    record->number = batch->shared ? shared->number : 0;
    if (batch->shared)
        record->headers = shared->ready.count > 0 ? shared->ready.data[--shared->ready.count] : rd.headers_copy(shared->made);
    else
        record->headers = batch->made == NULL ? NULL : rd.headers_copy(batch->made);
    return 0;
}

static int batch_read(Producer *self, Batch *batch, PyObject *keys, PyObject *values, PyObject *headers,
                      PyObject *timestamps) {
    if ((batch->keys = PySequence_Tuple(keys)) == NULL || (batch->values = PySequence_Tuple(values)) == NULL ||
        (batch->headers = PySequence_Tuple(headers)) == NULL ||
        (timestamps != Py_None && (batch->timestamps = PySequence_Tuple(timestamps)) == NULL))
        return -1;
    Py_ssize_t count = batch->count = PyTuple_GET_SIZE(batch->values), from = batch->from;
    if (PyTuple_GET_SIZE(batch->keys) != count || PyTuple_GET_SIZE(batch->headers) != count || from < 0 || from > count ||
        (batch->timestamps != NULL && PyTuple_GET_SIZE(batch->timestamps) != count))
        return PyErr_SetString(PyExc_ValueError, "keys, values, headers and timestamps are as many"), -1;
    if ((batch->records = PyMem_New(Record, count + 1)) == NULL) return PyErr_NoMemory(), -1;
    for (batch->read = from; batch->read < count; batch->read++)
        if (read_record(self, batch, batch->read) < 0) return -1;
    return 0;
}

/* Hands over records from *at on; *at is then the first that was not taken, for the error that is returned. */
static int hand_over(Client *client, Topic *topic, int partition, const Batch *batch, Py_ssize_t *at) {
    int error = 0;
    for (; error == 0 && *at < batch->count; ++*at) {
        const Record *record = &batch->records[*at];
        error = rd.producev(client, V_TOPIC, topic, V_FLAGS, COPY, V_PARTITION, (int32_t)partition, V_KEY, record->key,
                            (size_t)record->key_size, V_VALUE, record->value, (size_t)record->value_size, V_TIMESTAMP,
                            record->timestamp, V_HEADERS, record->headers, V_OPAQUE, (void *)record->number, V_END);
    }
    if (error != 0) --*at;
    return error;
}

/* The topic's handle, kept until the end; NULL with *error set, or with an exception. */
static Topic *topic_of(Producer *self, Client *client, PyObject *name, int *error) {
    PyObject *known = PyDict_GetItemWithError(self->topics, name);
    if (known != NULL) return PyLong_AsVoidPtr(known);
    Py_ssize_t size;
    const char *called = PyErr_Occurred() ? NULL : PyUnicode_AsUTF8AndSize(name, &size);
    if (called == NULL) return NULL;
    if (strlen(called) != (size_t)size) return PyErr_SetString(PyExc_ValueError, "embedded null character"), NULL;
    Topic *topic = rd.topic_new(client, called, NULL);
    if (topic == NULL) return *error = rd.last_error(), NULL;
    PyObject *kept = PyLong_FromVoidPtr(topic);
    if (kept == NULL || PyDict_SetItem(self->topics, name, kept) < 0) {
        rd.topic_destroy(topic);
        topic = NULL;
    }
    Py_XDECREF(kept);
    return topic;
}

PyDoc_STRVAR(produce_doc,
             "produce(topic, keys, values, headers, partition, timestamps or None, at) -> (the first record that was not\n"
             "taken, librdkafka's code of why): hands over the records from `at` on.");

static PyObject *producer_produce(PyObject *given, PyObject *args) {
    Producer *self = (Producer *)given;
    PyObject *name, *keys, *values, *headers, *timestamps;
    Batch batch = {0};
    int partition, error = 0;
    if (!PyArg_ParseTuple(args, "UOOOiOn", &name, &keys, &values, &headers, &partition, &timestamps, &batch.from))
        return NULL;
    Client *client = begin(self);
    if (client == NULL) return NULL;
    Py_ssize_t at = batch.from;
    Topic *topic = topic_of(self, client, name, &error);
    if (topic != NULL && batch_read(self, &batch, keys, values, headers, timestamps) == 0) {
        Py_BEGIN_ALLOW_THREADS
        error = hand_over(client, topic, partition, &batch, &at);
        Py_END_ALLOW_THREADS
    }
    batch_free(self, &batch, at);
    if (PyErr_Occurred()) return leave(self), NULL;
    return end(self) < 0 ? NULL : Py_BuildValue("ni", at, error);
}

static int milliseconds(PyObject *seconds, int *out) {
    double given = PyFloat_AsDouble(seconds);
    if (given == -1 && PyErr_Occurred()) return -1;
    if (!(given >= 0 && given < 1e6)) return PyErr_SetString(PyExc_ValueError, "no such timeout"), -1;
    *out = (int)(given * 1000);
    return 0;
}

/* A call during which callbacks may run; its answer. */
static int serve(Producer *self, Client *client, int call(Client *, int), int with) {
    Caught caught = {self->shared.number, {0}};
    int answer;
    Py_BEGIN_ALLOW_THREADS
    catching = &caught;
    answer = call(client, with);
    catching = NULL;
    Py_END_ALLOW_THREADS
    while (caught.number == self->shared.number && caught.stack.count > 0)
        push(&self->shared.ready, caught.stack.data[--caught.stack.count]);
    stack_free(&caught.stack);
    return answer;
}

PyDoc_STRVAR(poll_doc, "poll(seconds): waits that long at most for something to be told.");

static PyObject *producer_poll(PyObject *given, PyObject *seconds) {
    Producer *self = (Producer *)given;
    int wait;
    Client *client = milliseconds(seconds, &wait) < 0 ? NULL : begin(self);
    if (client == NULL) return NULL;
    serve(self, client, rd.poll, wait);
    return end(self) < 0 ? NULL : Py_NewRef(Py_None);
}

PyDoc_STRVAR(flush_doc, "flush(seconds) -> records that are still not durable; nothing lingers meanwhile.");

static PyObject *producer_flush(PyObject *given, PyObject *seconds) {
    Producer *self = (Producer *)given;
    int wait;
    Client *client = milliseconds(seconds, &wait) < 0 ? NULL : begin(self);
    if (client == NULL) return NULL;
    int left = serve(self, client, rd.flush, wait) == 0 ? 0 : rd.outq_len(client);
    return end(self) < 0 ? NULL : PyLong_FromLong(left);
}

PyDoc_STRVAR(purge_doc, "purge(): drops what is queued or on its way; each record is told as undelivered.");

static PyObject *producer_purge(PyObject *given, PyObject *none) {
    Producer *self = (Producer *)given;
    Client *client = begin(self);
    (void)none;
    if (client == NULL) return NULL;
    int error = serve(self, client, rd.purge, PURGE_QUEUE | PURGE_IN_FLIGHT);
    if (end(self) < 0) return NULL;
    return error == 0 ? Py_NewRef(Py_None) : fail(self, error, rd.err2str(error), 0, 0, 0);
}

static Py_ssize_t producer_length(PyObject *given) {
    Producer *self = (Producer *)given;
    return self->client == NULL ? 0 : rd.outq_len(self->client);
}

/* One of the transaction calls: None, or the error raised. */
static PyObject *transaction(Producer *self, Error *call(Client *, int), int wait) {
    Client *client = begin(self);
    Error *error;
    if (client == NULL) return NULL;
    Py_BEGIN_ALLOW_THREADS
    error = call(client, wait);
    Py_END_ALLOW_THREADS
    if (end(self) < 0) {
        if (error != NULL) rd.error_destroy(error);
        return NULL;
    }
    return error == NULL ? Py_NewRef(Py_None) : fail_with(self, error);
}

static Error *begun(Client *client, int wait) {
    (void)wait;
    return rd.begin_transaction(client);
}

static PyObject *producer_init(PyObject *self, PyObject *seconds) {
    int wait;
    return milliseconds(seconds, &wait) < 0 ? NULL : transaction((Producer *)self, rd.init_transactions, wait);
}

static PyObject *producer_begin(PyObject *self, PyObject *none) {
    (void)none;
    return transaction((Producer *)self, begun, 0);
}

static PyObject *producer_commit(PyObject *self, PyObject *seconds) {
    int wait;
    return milliseconds(seconds, &wait) < 0 ? NULL : transaction((Producer *)self, rd.commit_transaction, wait);
}

static PyObject *producer_abort(PyObject *self, PyObject *seconds) {
    int wait;
    return milliseconds(seconds, &wait) < 0 ? NULL : transaction((Producer *)self, rd.abort_transaction, wait);
}

PyDoc_STRVAR(close_doc, "close(): ends the client, at once or when the last call on another thread returns.");

static PyObject *producer_close(PyObject *given, PyObject *none) {
    Producer *self = (Producer *)given;
    (void)none;
    self->closed = 1;
    if (self->calls == 0) destroy(self);
    Py_RETURN_NONE;
}

static PyMethodDef producer_methods[] = {
    {"produce", producer_produce, METH_VARARGS, produce_doc},
    {"poll", producer_poll, METH_O, poll_doc},
    {"flush", producer_flush, METH_O, flush_doc},
    {"purge", producer_purge, METH_NOARGS, purge_doc},
    {"init_transactions", producer_init, METH_O, NULL},
    {"begin_transaction", producer_begin, METH_NOARGS, NULL},
    {"commit_transaction", producer_commit, METH_O, NULL},
    {"abort_transaction", producer_abort, METH_O, NULL},
    {"close", producer_close, METH_NOARGS, close_doc},
    {0},
};

PyDoc_STRVAR(producer_doc,
             "KafkaProducer(library, told, settings): `library` is a loaded file that librdkafka's functions are found in,\n"
             "`told` hears what befalls the producer, settings are librdkafka's. Raises: ImportError: they are not there.");

static PyType_Slot producer_slots[] = {
    {Py_tp_new, producer_new}, {Py_tp_dealloc, producer_free}, {Py_tp_traverse, producer_traverse},
    {Py_tp_clear, producer_clear}, {Py_tp_methods, producer_methods}, {Py_tp_doc, (void *)producer_doc},
    {Py_sq_length, producer_length}, {0, NULL},
};

static PyType_Spec producer_spec = {
    .name = "cdc.native._hot.KafkaProducer", .basicsize = sizeof(Producer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, .slots = producer_slots,
};

int add_kafka_producer(PyObject *module) {
    PyObject *type = PyType_FromModuleAndSpec(module, &producer_spec, NULL);
    if (type == NULL) return -1;
    int failed = PyModule_AddObjectRef(module, "KafkaProducer", type);
    Py_DECREF(type);
    return failed;
}

#endif
