/** Errors of the addon; see arguments.h. */

#include "arguments.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void throw_argument(napi_env env, const char *name, const char *expected) {
  char text[128];
  snprintf(text, sizeof text, "%s must be %s", name, expected);
  napi_throw_type_error(env, "ERR_ORBITKV_ARGUMENT", text);
}

void throw_internal(napi_env env, const char *what) {
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending) return;
  napi_throw_error(env, "ERR_ORBITKV_INTERNAL", what);
}

static const char *errno_name(int number) {
  switch (number) {
    case EACCES: return "EACCES";
    case EAGAIN: return "EAGAIN";
    case EBADF: return "EBADF";
    case EDQUOT: return "EDQUOT";
    case EFAULT: return "EFAULT";
    case EFBIG: return "EFBIG";
    case EINTR: return "EINTR";
    case EINVAL: return "EINVAL";
    case EIO: return "EIO";
    case EISDIR: return "EISDIR";
    case EMFILE: return "EMFILE";
    case ENFILE: return "ENFILE";
    case ENODEV: return "ENODEV";
    case ENOLCK: return "ENOLCK";
    case ENOMEM: return "ENOMEM";
    case ENOSPC: return "ENOSPC";
    case ENOSYS: return "ENOSYS";
    case ENXIO: return "ENXIO";
    case EOPNOTSUPP: return "EOPNOTSUPP";
    case EPERM: return "EPERM";
    case EROFS: return "EROFS";
    case ESPIPE: return "ESPIPE";
    case ESTALE: return "ESTALE";
    default: return "EUNKNOWN";
  }
}

napi_value make_system_error(napi_env env, const char *operation, int number) {
  const char *name = errno_name(number);
  char text[256];
  // strerror may share its buffer between threads; the text is for people, the code and errno are exact.
  snprintf(text, sizeof text, "%s: %s, %s", name, strerror(number), operation);
  napi_value code, message, error, errno_value, syscall_value;
  if (napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &code) != napi_ok ||
      napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &message) != napi_ok ||
      napi_create_error(env, code, message, &error) != napi_ok ||
      napi_create_int32(env, -number, &errno_value) != napi_ok ||
      napi_create_string_utf8(env, operation, NAPI_AUTO_LENGTH, &syscall_value) != napi_ok ||
      napi_set_named_property(env, error, "errno", errno_value) != napi_ok ||
      napi_set_named_property(env, error, "syscall", syscall_value) != napi_ok) {
    return NULL;
  }
  return error;
}

void throw_system(napi_env env, const char *operation, int number) {
  napi_value error = make_system_error(env, operation, number);
  if (error == NULL) {
    throw_internal(env, operation);
    return;
  }
  napi_throw(env, error);
}
