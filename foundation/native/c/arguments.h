/**
 * Reading arguments and throwing errors, for every function of the addon.
 *
 * What must hold: a wrong argument throws a TypeError that names it (code ERR_ORBITKV_ARGUMENT), and a system call that
 * fails throws an Error with Node's own shape (code ENOSPC, errno, syscall); neither ever ends the process. A helper
 * that returns false has thrown: its caller returns NULL at once.
 */
#ifndef ORBITKV_ARGUMENTS_H
#define ORBITKV_ARGUMENTS_H

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Numbers of JavaScript are exact up to here; so are our file offsets. */
#define SAFE_INTEGER_MAX 9007199254740991.0

struct bytes {
  uint8_t *data;
  size_t length;
};

/** Reads exactly `count` arguments; what the caller left out arrives as undefined and fails the check of its type. */
static inline bool read_arguments(napi_env env, napi_callback_info info, size_t count, napi_value *values) {
  size_t given = count;
  return napi_get_cb_info(env, info, &given, values, NULL, NULL) == napi_ok;
}

void throw_argument(napi_env env, const char *name, const char *expected);
/** An Error as Node's own file functions throw it, for `number` of errno. */
void throw_system(napi_env env, const char *operation, int number);
/** The same as a value, to reject a promise with; NULL if it cannot be made. */
napi_value make_system_error(napi_env env, const char *operation, int number);
/** For a Node-API call that failed without a reason of ours; keeps an exception that is pending already. */
void throw_internal(napi_env env, const char *what);

/** A whole number in [0, max]. */
static inline bool read_whole(napi_env env, napi_value value, const char *name, double max, int64_t *out) {
  double number;
  if (napi_get_value_double(env, value, &number) == napi_ok && number >= 0 && number <= max) {
    int64_t whole = (int64_t)number;
    if ((double)whole == number) {
      *out = whole;
      return true;
    }
  }
  throw_argument(env, name, "a whole number in its range");
  return false;
}

static inline bool read_descriptor(napi_env env, napi_value value, int *out) {
  int64_t number;
  if (!read_whole(env, value, "fd", INT32_MAX, &number)) return false;
  *out = (int)number;
  return true;
}

/** A Uint8Array (a Buffer is one). */
static inline bool read_bytes(napi_env env, napi_value value, const char *name, struct bytes *out) {
  napi_typedarray_type type;
  void *data;
  if (napi_get_typedarray_info(env, value, &type, &out->length, &data, NULL, NULL) == napi_ok &&
      type == napi_uint8_array) {
    out->data = data;
    return true;
  }
  throw_argument(env, name, "a Uint8Array");
  return false;
}

/** `start` and `length` of a span that lies within `bytes`. */
static inline bool read_span(napi_env env, napi_value start_value, napi_value length_value, const struct bytes *bytes,
                             size_t *start, size_t *length) {
  int64_t number;
  if (!read_whole(env, start_value, "start", (double)bytes->length, &number)) return false;
  *start = (size_t)number;
  if (!read_whole(env, length_value, "length", (double)(bytes->length - *start), &number)) return false;
  *length = (size_t)number;
  return true;
}

#endif
