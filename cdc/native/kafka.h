/* What is used of librdkafka's C API, found at run time in the library that confluent_kafka carries.

   Source: rdkafka.h, whose functions and numbers stay as they are within major version 1 of the library. */

#ifndef TAILRACE_KAFKA_H
#define TAILRACE_KAFKA_H

#include <stddef.h>
#include <stdint.h>

typedef struct rd_kafka_s Client;
typedef struct rd_kafka_conf_s Conf;
typedef struct rd_kafka_topic_s Topic;
typedef struct rd_kafka_headers_s Headers;
typedef struct rd_kafka_error_s Error;

typedef struct {
    int err;
    Topic *topic;
    int32_t partition;
    void *value;
    size_t value_size;
    void *key;
    size_t key_size;
    int64_t offset;
    void *opaque;
} Message;

typedef void Delivered(Client *, const Message *, void *);
typedef void Complained(Client *, int, const char *, void *);
typedef void Logged(const Client *, int, const char *, const char *);

enum { CONF_OK = 0, PRODUCER = 0, COPY = 2, PURGE_QUEUE = 1, PURGE_IN_FLIGHT = 2 };
enum { V_END, V_TOPIC_NAME, V_TOPIC, V_PARTITION, V_VALUE, V_KEY, V_OPAQUE, V_FLAGS, V_TIMESTAMP, V_HEADER, V_HEADERS };
enum { ERR_FAIL = -196, ERR_DESTROY = -197, ERR_INVALID_ARG = -186, ERR_FATAL = -150 };

/* FUNCTION(result, name without its rd_kafka_, arguments) */
#define KAFKA_FUNCTIONS(FUNCTION) \
    FUNCTION(Conf *, conf_new, (void)) \
    FUNCTION(void, conf_destroy, (Conf *)) \
    FUNCTION(int, conf_set, (Conf *, const char *, const char *, char *, size_t)) \
    FUNCTION(void, conf_set_opaque, (Conf *, void *)) \
    FUNCTION(void, conf_set_dr_msg_cb, (Conf *, Delivered *)) \
    FUNCTION(void, conf_set_error_cb, (Conf *, Complained *)) \
    FUNCTION(void, conf_set_log_cb, (Conf *, Logged *)) \
    FUNCTION(Client *, new, (int, Conf *, char *, size_t)) \
    FUNCTION(void, destroy, (Client *)) \
    FUNCTION(int, set_log_queue, (Client *, void *)) \
    FUNCTION(void *, opaque, (const Client *)) \
    FUNCTION(const char *, name, (const Client *)) \
    FUNCTION(int, last_error, (void)) \
    FUNCTION(int, fatal_error, (Client *, char *, size_t)) \
    FUNCTION(const char *, err2str, (int)) \
    FUNCTION(Topic *, topic_new, (Client *, const char *, void *)) \
    FUNCTION(void, topic_destroy, (Topic *)) \
    FUNCTION(const char *, topic_name, (const Topic *)) \
    FUNCTION(Headers *, headers_new, (size_t)) \
    FUNCTION(Headers *, headers_copy, (const Headers *)) \
    FUNCTION(void, headers_destroy, (Headers *)) \
    FUNCTION(int, header_add, (Headers *, const char *, ptrdiff_t, const void *, ptrdiff_t)) \
    FUNCTION(int, message_detach_headers, (Message *, Headers **)) \
    FUNCTION(int, producev, (Client *, ...)) \
    FUNCTION(int, poll, (Client *, int)) \
    FUNCTION(int, flush, (Client *, int)) \
    FUNCTION(int, purge, (Client *, int)) \
    FUNCTION(int, outq_len, (Client *)) \
    FUNCTION(Error *, init_transactions, (Client *, int)) \
    FUNCTION(Error *, begin_transaction, (Client *)) \
    FUNCTION(Error *, commit_transaction, (Client *, int)) \
    FUNCTION(Error *, abort_transaction, (Client *, int)) \
    FUNCTION(int, error_code, (const Error *)) \
    FUNCTION(const char *, error_string, (const Error *)) \
    FUNCTION(int, error_is_fatal, (const Error *)) \
    FUNCTION(int, error_is_retriable, (const Error *)) \
    FUNCTION(int, error_txn_requires_abort, (const Error *)) \
    FUNCTION(void, error_destroy, (Error *))

#endif
