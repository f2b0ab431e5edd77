/**
 * Reading, writing, syncing, allocating and locking by file descriptor. The caller owns the descriptor and keeps it
 * open until a pending `fdatasync` has settled: a descriptor that is closed and reused meanwhile would sync another
 * file.
 */

#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64

#include "arguments.h"
#include "functions.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

/** The arguments that reading and writing share: (fd, bytes, start, length, offset). */
struct transfer {
  int fd;
  uint8_t *data;
  size_t length;
  off_t offset;
};

static bool read_transfer(napi_env env, napi_callback_info info, const char *name, struct transfer *out) {
  napi_value values[5];
  if (!read_arguments(env, info, 5, values)) return false;
  struct bytes bytes;
  size_t start;
  int64_t offset;
  if (!read_descriptor(env, values[0], &out->fd)) return false;
  if (!read_bytes(env, values[1], name, &bytes)) return false;
  if (!read_span(env, values[2], values[3], &bytes, &start, &out->length)) return false;
  if (!read_whole(env, values[4], "offset", SAFE_INTEGER_MAX, &offset)) return false;
  out->data = bytes.data + start;
  out->offset = (off_t)offset;
  return true;
}

static napi_value number_value(napi_env env, double number) {
  napi_value result;
  return napi_create_double(env, number, &result) == napi_ok ? result : NULL;
}

/**
 * read(fd, target, start, length, offset): how many bytes were read, fewer than `length` only at the end of the file.
 */
napi_value read_file(napi_env env, napi_callback_info info) {
  struct transfer transfer;
  if (!read_transfer(env, info, "target", &transfer)) return NULL;
  size_t done = 0;
  while (done < transfer.length) {
    ssize_t count = pread(transfer.fd, transfer.data + done, transfer.length - done, transfer.offset + (off_t)done);
    if (count < 0) {
      if (errno == EINTR) continue;
      throw_system(env, "read", errno);
      return NULL;
    }
    if (count == 0) break;
    done += (size_t)count;
  }
  return number_value(env, (double)done);
}

/** readNoWait: as read, but -1 as soon as a byte of it is not in the page cache, or where the system cannot tell. */
napi_value read_no_wait(napi_env env, napi_callback_info info) {
  struct transfer transfer;
  if (!read_transfer(env, info, "target", &transfer)) return NULL;
#ifdef RWF_NOWAIT
  size_t done = 0;
  while (done < transfer.length) {
    struct iovec part = {transfer.data + done, transfer.length - done};
    ssize_t count = preadv2(transfer.fd, &part, 1, transfer.offset + (off_t)done, RWF_NOWAIT);
    if (count < 0) {
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EOPNOTSUPP || errno == ENOSYS) return number_value(env, -1);
      throw_system(env, "read", errno);
      return NULL;
    }
    if (count == 0) break;
    done += (size_t)count;
  }
  return number_value(env, (double)done);
#else
  return number_value(env, -1);
#endif
}

/** write(fd, source, start, length, offset): writes all of it or throws; what was written before an error stays. */
napi_value write_file(napi_env env, napi_callback_info info) {
  struct transfer transfer;
  if (!read_transfer(env, info, "source", &transfer)) return NULL;
  size_t done = 0;
  while (done < transfer.length) {
    ssize_t count = pwrite(transfer.fd, transfer.data + done, transfer.length - done, transfer.offset + (off_t)done);
    if (count < 0) {
      if (errno == EINTR) continue;
      throw_system(env, "write", errno);
      return NULL;
    }
    // A file takes at least one byte or fails; 0 would make this loop endless.
    if (count == 0) {
      throw_system(env, "write", EIO);
      return NULL;
    }
    done += (size_t)count;
  }
  return NULL;
}

/** A system call on a thread of the pool, and the promise that waits for it. */
struct file_work {
  const char *operation;
  int fd;
  off_t offset;
  off_t length;
  int error;
  napi_deferred deferred;
  napi_async_work work;
};

static void run_sync(napi_env env, void *data) {
  (void)env;
  struct file_work *sync = data;
  int result;
  do {
#if defined(__APPLE__)
    // fsync on macOS stops at the drive's own cache.
    result = fcntl(sync->fd, F_FULLFSYNC);
#else
    result = fdatasync(sync->fd);
#endif
  } while (result < 0 && errno == EINTR);
  sync->error = result < 0 ? errno : 0;
}

static void run_drop(napi_env env, void *data) {
  (void)env;
  struct file_work *drop = data;
#ifdef POSIX_FADV_DONTNEED
  drop->error = posix_fadvise(drop->fd, drop->offset, drop->length, POSIX_FADV_DONTNEED);
#endif
}

/**
 * Also called, after the work has ended, while a terminated worker is torn down: then the promise cannot be settled any
 * more, which nobody waits for, and only the memory matters.
 */
static void finish_work(napi_env env, napi_status status, void *data) {
  struct file_work *work = data;
  int error = status == napi_ok ? work->error : EIO;
  napi_value value = NULL;
  if (error == 0) {
    if (napi_get_undefined(env, &value) == napi_ok) napi_resolve_deferred(env, work->deferred, value);
  } else {
    value = make_system_error(env, work->operation, error);
    if (value != NULL) napi_reject_deferred(env, work->deferred, value);
  }
  napi_delete_async_work(env, work->work);
  free(work);
}

/** The promise of a piece of work; NULL, with an exception, where it cannot be started. */
static napi_value start_work(napi_env env, struct file_work wanted, napi_async_execute_callback run) {
  struct file_work *work = calloc(1, sizeof *work);
  if (work == NULL) {
    throw_system(env, wanted.operation, ENOMEM);
    return NULL;
  }
  *work = wanted;
  napi_value name, promise;
  if (napi_create_string_utf8(env, wanted.operation, NAPI_AUTO_LENGTH, &name) != napi_ok ||
      napi_create_async_work(env, NULL, name, run, finish_work, work, &work->work) != napi_ok) {
    free(work);
    throw_internal(env, "work off the event loop could not be started");
    return NULL;
  }
  if (napi_create_promise(env, &work->deferred, &promise) != napi_ok ||
      napi_queue_async_work(env, work->work) != napi_ok) {
    napi_delete_async_work(env, work->work);
    free(work);
    throw_internal(env, "work off the event loop could not be started");
    return NULL;
  }
  return promise;
}

/** fdatasync(fd): a promise, resolved once every write that was complete before the call is on the disk. */
napi_value sync_data(napi_env env, napi_callback_info info) {
  napi_value values[1];
  if (!read_arguments(env, info, 1, values)) return NULL;
  int fd;
  if (!read_descriptor(env, values[0], &fd)) return NULL;
  return start_work(env, (struct file_work){.operation = "fdatasync", .fd = fd}, run_sync);
}

/** fallocate(fd, offset, length): gives the range blocks, so that a later write into it cannot find the disk full. */
napi_value allocate_file(napi_env env, napi_callback_info info) {
  napi_value values[3];
  if (!read_arguments(env, info, 3, values)) return NULL;
  int fd;
  int64_t offset, length;
  if (!read_descriptor(env, values[0], &fd)) return NULL;
  if (!read_whole(env, values[1], "offset", SAFE_INTEGER_MAX, &offset)) return NULL;
  if (!read_whole(env, values[2], "length", SAFE_INTEGER_MAX, &length)) return NULL;
#if defined(__linux__)
  int result;
  do {
    result = fallocate(fd, 0, (off_t)offset, (off_t)length);
  } while (result < 0 && errno == EINTR);
  if (result < 0) throw_system(env, "fallocate", errno);
#else
  throw_system(env, "fallocate", EOPNOTSUPP);
#endif
  return NULL;
}

/**
 * dropCached(fd, offset, length): a promise, resolved once the system was told that it may take the memory of a range that no
 * process has mapped and that is on the disk already. Off the event loop: Linux waits for every processor to put its pages in order first.
 */
napi_value drop_cached(napi_env env, napi_callback_info info) {
  napi_value values[3];
  if (!read_arguments(env, info, 3, values)) return NULL;
  int fd;
  int64_t offset, length;
  if (!read_descriptor(env, values[0], &fd)) return NULL;
  if (!read_whole(env, values[1], "offset", SAFE_INTEGER_MAX, &offset)) return NULL;
  if (!read_whole(env, values[2], "length", SAFE_INTEGER_MAX, &length)) return NULL;
  const struct file_work work = {.operation = "fadvise", .fd = fd, .offset = (off_t)offset, .length = (off_t)length};
  return start_work(env, work, run_drop);
}

/**
 * Both kinds of lock used here belong to the open file, not to the process: a second open in the same process is kept
 * out, too, and the kernel lets go when the last descriptor of it is closed, however the process ends.
 */
static int set_lock(int fd, bool take) {
#ifdef F_OFD_SETLK
  struct flock lock = {.l_type = take ? F_WRLCK : F_UNLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 0};
  return fcntl(fd, F_OFD_SETLK, &lock);
#else
  return flock(fd, take ? LOCK_EX | LOCK_NB : LOCK_UN);
#endif
}

/** lock(fd): true if this open file now has the lock, false if another one has it. Never waits. */
napi_value lock_file(napi_env env, napi_callback_info info) {
  napi_value values[1];
  if (!read_arguments(env, info, 1, values)) return NULL;
  int fd;
  if (!read_descriptor(env, values[0], &fd)) return NULL;
  int result;
  do {
    result = set_lock(fd, true);
  } while (result < 0 && errno == EINTR);
  bool locked = result == 0;
  if (!locked && errno != EAGAIN && errno != EACCES && errno != EWOULDBLOCK) {
    throw_system(env, "lock", errno);
    return NULL;
  }
  napi_value value;
  return napi_get_boolean(env, locked, &value) == napi_ok ? value : NULL;
}

/** unlock(fd): lets go; closing the descriptor does so, too. */
napi_value unlock_file(napi_env env, napi_callback_info info) {
  napi_value values[1];
  if (!read_arguments(env, info, 1, values)) return NULL;
  int fd;
  if (!read_descriptor(env, values[0], &fd)) return NULL;
  if (set_lock(fd, false) < 0) throw_system(env, "unlock", errno);
  return NULL;
}
