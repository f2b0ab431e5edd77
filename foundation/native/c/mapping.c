/**
 * Files in memory: mmap, handed out as an ArrayBuffer.
 *
 * A mapping is private and writable: a stray write of a caller changes a copy of that page, not the file, and does not
 * end the process as a write into a read-only mapping would. It ends by `unmap`, by the collection of its ArrayBuffer
 * or with its thread, whichever comes first; all three happen on the thread that mapped.
 *
 * External memory. V8 counts the length of an ArrayBuffer as external memory, and collects the whole heap as that
 * grows; pages of a file are no reason to. Taking the length back after mapping would let the count fall below what V8
 * itself will take off when the ArrayBuffer is detached or swept, and V8 ends the process when the count would become
 * negative. It announces a sweep to nobody, and Node detaches the buffers of an ending thread before any cleanup hook
 * runs. So the count must cover all live mappings at every moment, and mappings cannot lower it. What it can do is grow
 * rarely, since V8 looks at the growth since its last collection:
 *  - A thread pays in advance: a credit is added to the count, as large as what is mapped already (or 16 mappings).
 *  - A new mapping takes its length out of the credit, so that the count stays where it was.
 *  - A mapping that ends takes its length off the count by V8's own hand; the credit does not change.
 * The count is thus other memory + live mappings + credit, with credit >= 0: it never lacks what V8 takes off, and
 * doubling the mapped memory costs one collection rather than one a mapping.
 */

#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64

#include "arguments.h"
#include "functions.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/** A credit pays for so many mappings at least, so that mapping and unmapping in turn collects the heap as rarely. */
#define MAPPINGS_A_CREDIT 16

/** What one thread has mapped. Lives until the thread and all its mappings have ended. */
struct account {
  struct mapping *first;
  int64_t mapped_bytes;
  int64_t credit_bytes;
  size_t holders;
};

struct mapping {
  struct account *account;
  struct mapping *previous;
  struct mapping *next;
  uint8_t *address;
  size_t length;
  bool mapped;
  /** The finalizer of the ArrayBuffer, and the function that is making it. */
  int holders;
};

static void drop_account(struct account *account) {
  if (--account->holders == 0) free(account);
}

static void drop_mapping(struct mapping *mapping) {
  if (--mapping->holders > 0) return;
  drop_account(mapping->account);
  free(mapping);
}

static void end_mapping(struct mapping *mapping) {
  if (!mapping->mapped) return;
  mapping->mapped = false;
  struct account *account = mapping->account;
  if (mapping->previous != NULL) mapping->previous->next = mapping->next;
  else account->first = mapping->next;
  if (mapping->next != NULL) mapping->next->previous = mapping->previous;
  account->mapped_bytes -= (int64_t)mapping->length;
  munmap(mapping->address, mapping->length);
}

static void on_buffer_gone(napi_env env, void *data, void *hint) {
  (void)env;
  (void)data;
  struct mapping *mapping = hint;
  end_mapping(mapping);
  drop_mapping(mapping);
}

/** Takes `length` out of the credit, after paying in what is missing. */
static void use_credit(napi_env env, struct account *account, int64_t length) {
  int64_t change = -length;
  if (account->credit_bytes < length) {
    int64_t several = MAPPINGS_A_CREDIT * length;
    change += account->mapped_bytes > several ? account->mapped_bytes : several;
  }
  int64_t total;
  if (napi_adjust_external_memory(env, change, &total) == napi_ok) account->credit_bytes += change;
}

struct thread_end {
  napi_env env;
  struct account *account;
};

static void on_thread_end(void *data) {
  struct thread_end *end = data;
  int64_t total;
  napi_adjust_external_memory(end->env, -end->account->credit_bytes, &total);
  end->account->credit_bytes = 0;
  drop_account(end->account);
  free(end);
}

bool prepare_mappings(napi_env env) {
  struct account *account = calloc(1, sizeof *account);
  struct thread_end *end = calloc(1, sizeof *end);
  if (account == NULL || end == NULL) {
    free(account);
    free(end);
    return false;
  }
  // One for the thread, let go by on_thread_end.
  account->holders = 1;
  *end = (struct thread_end){env, account};
  if (napi_set_instance_data(env, account, NULL, NULL) == napi_ok &&
      napi_add_env_cleanup_hook(env, on_thread_end, end) == napi_ok) {
    return true;
  }
  free(account);
  free(end);
  return false;
}

static struct account *thread_account(napi_env env) {
  void *account = NULL;
  return napi_get_instance_data(env, &account) == napi_ok ? account : NULL;
}

/** The live mapping of this thread at `address`. A walk: there are thousands at most, and it is asked for rarely. */
static struct mapping *find_mapping(napi_env env, const void *address) {
  struct account *account = thread_account(env);
  struct mapping *found = account == NULL ? NULL : account->first;
  while (found != NULL && found->address != address) found = found->next;
  return found;
}

/** Makes the ArrayBuffer; NULL after a failure, with everything undone. */
static napi_value wrap(napi_env env, struct mapping *mapping) {
  struct account *account = mapping->account;
  account->holders++;
  account->mapped_bytes += (int64_t)mapping->length;
  mapping->next = account->first;
  if (account->first != NULL) account->first->previous = mapping;
  account->first = mapping;
  mapping->mapped = true;
  // One for this function, one for the finalizer, which may be called even when making the ArrayBuffer fails.
  mapping->holders = 2;
  napi_value buffer = NULL;
  if (napi_create_external_arraybuffer(env, mapping->address, mapping->length, on_buffer_gone, mapping, &buffer) ==
      napi_ok) {
    use_credit(env, account, (int64_t)mapping->length);
  } else {
    end_mapping(mapping);
    buffer = NULL;
  }
  drop_mapping(mapping);
  return buffer;
}

/** map(fd, offset, length): an ArrayBuffer over that range of the file, which must lie within the file. */
napi_value map_file(napi_env env, napi_callback_info info) {
  napi_value values[3];
  if (!read_arguments(env, info, 3, values)) return NULL;
  int fd;
  int64_t offset, length;
  if (!read_descriptor(env, values[0], &fd)) return NULL;
  if (!read_whole(env, values[1], "offset", SAFE_INTEGER_MAX, &offset)) return NULL;
  if (!read_whole(env, values[2], "length", SAFE_INTEGER_MAX - (double)offset, &length)) return NULL;
  if (offset % sysconf(_SC_PAGESIZE) != 0) {
    throw_argument(env, "offset", "a multiple of the page size");
    return NULL;
  }
  if (length == 0 || (uint64_t)length > SIZE_MAX) {
    throw_argument(env, "length", "from 1 to what an address can hold");
    return NULL;
  }
  struct stat status;
  if (fstat(fd, &status) < 0) {
    throw_system(env, "map", errno);
    return NULL;
  }
  // Reading a mapped page behind the end of the file ends the process.
  if (offset + length > status.st_size) {
    throw_system(env, "map of a range that ends after the file", EINVAL);
    return NULL;
  }
  int flags = MAP_PRIVATE;
#ifdef MAP_NORESERVE
  // Writable and private would otherwise count as memory that the process may need, whole.
  flags |= MAP_NORESERVE;
#endif
  void *address = mmap(NULL, (size_t)length, PROT_READ | PROT_WRITE, flags, fd, (off_t)offset);
  if (address == MAP_FAILED) {
    throw_system(env, "map", errno);
    return NULL;
  }
  struct mapping *mapping = calloc(1, sizeof *mapping);
  struct account *account = thread_account(env);
  if (mapping == NULL || account == NULL) {
    free(mapping);
    munmap(address, (size_t)length);
    throw_system(env, "map", ENOMEM);
    return NULL;
  }
  mapping->account = account;
  mapping->address = address;
  mapping->length = (size_t)length;
  napi_value buffer = wrap(env, mapping);
  if (buffer == NULL) throw_internal(env, "map: this runtime refuses an external ArrayBuffer");
  return buffer;
}

static bool read_buffer(napi_env env, napi_value value, struct bytes *out) {
  void *data;
  if (napi_get_arraybuffer_info(env, value, &data, &out->length) == napi_ok) {
    out->data = data;
    return true;
  }
  throw_argument(env, "buffer", "an ArrayBuffer");
  return false;
}

static struct mapping *read_mapping(napi_env env, napi_value value) {
  struct bytes bytes;
  if (!read_buffer(env, value, &bytes)) return NULL;
  struct mapping *mapping = bytes.length == 0 ? NULL : find_mapping(env, bytes.data);
  if (mapping == NULL) throw_argument(env, "buffer", "a mapping that is not unmapped yet");
  return mapping;
}

/** unmap(buffer): takes the memory away; the buffer and every view of it have length 0 afterwards. */
napi_value unmap_file(napi_env env, napi_callback_info info) {
  napi_value values[1];
  if (!read_arguments(env, info, 1, values)) return NULL;
  struct mapping *mapping = read_mapping(env, values[0]);
  if (mapping == NULL) return NULL;
  // Detached first: JavaScript must not see memory that is gone. The finalizer follows later and finds it done.
  if (napi_detach_arraybuffer(env, values[0]) != napi_ok) {
    throw_internal(env, "unmap: the buffer cannot be detached");
    return NULL;
  }
  end_mapping(mapping);
  return NULL;
}

struct advice {
  const char *name;
  /** -1 where this system has no such advice: it is then left out, as advice may be. */
  int number;
};

static const struct advice advices[] = {
    {"normal", MADV_NORMAL},
    {"random", MADV_RANDOM},
    {"sequential", MADV_SEQUENTIAL},
    {"will-need", MADV_WILLNEED},
// Never MADV_DONTNEED for cold: on a private mapping it drops a caller's stray writes, and on memory that is no file,
// all of its contents. MADV_COLD only moves the pages to the front of those that the kernel takes first.
#ifdef MADV_COLD
    {"cold", MADV_COLD},
#else
    {"cold", -1},
#endif
// Takes pages away at once, but those that the process wrote to: stray writes stay.
#ifdef MADV_PAGEOUT
    {"page-out", MADV_PAGEOUT},
#else
    {"page-out", -1},
#endif
#ifdef MADV_HUGEPAGE
    {"huge-pages", MADV_HUGEPAGE},
#else
    {"huge-pages", -1},
#endif
};

static const struct advice *read_advice(napi_env env, napi_value value) {
  char name[16];
  size_t length;
  if (napi_get_value_string_utf8(env, value, name, sizeof name, &length) == napi_ok) {
    for (size_t i = 0; i < sizeof advices / sizeof *advices; i++) {
      if (strcmp(name, advices[i].name) == 0) return &advices[i];
    }
  }
  throw_argument(env, "advice", "normal, random, sequential, will-need, cold, page-out or huge-pages");
  return NULL;
}

/**
 * advise(buffer, start, length, advice): true if the kernel took it, false if it knows no such advice for this memory.
 * `buffer` is a mapping or any other ArrayBuffer (an index that wants huge pages). Of other memory only the pages that
 * lie wholly within the span are meant, since their neighbours belong to somebody else.
 */
napi_value advise(napi_env env, napi_callback_info info) {
  napi_value values[4];
  if (!read_arguments(env, info, 4, values)) return NULL;
  struct bytes bytes;
  size_t start, length;
  if (!read_buffer(env, values[0], &bytes)) return NULL;
  if (!read_span(env, values[1], values[2], &bytes, &start, &length)) return NULL;
  const struct advice *advice = read_advice(env, values[3]);
  if (advice == NULL) return NULL;
  uintptr_t page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
  uintptr_t from = (uintptr_t)bytes.data + start;
  uintptr_t to = from + length;
  if (find_mapping(env, bytes.data) != NULL) {
    from = from / page_bytes * page_bytes;
    to = (to + page_bytes - 1) / page_bytes * page_bytes;
  } else {
    from = (from + page_bytes - 1) / page_bytes * page_bytes;
    to = to / page_bytes * page_bytes;
  }
  bool taken = false;
  if (advice->number >= 0 && from < to) {
    taken = madvise((void *)from, to - from, advice->number) == 0;
    // EINVAL: not known to this kernel, or not for this kind of memory. EAGAIN: no resources for it now.
    if (!taken && errno != EINVAL && errno != EAGAIN && errno != ENOSYS) {
      throw_system(env, "madvise", errno);
      return NULL;
    }
  }
  napi_value value;
  return napi_get_boolean(env, taken, &value) == napi_ok ? value : NULL;
}

/** residentBytes(buffer, start, length): how many bytes of a part of a mapping lie in memory now; `start` begins a page. */
napi_value resident_bytes(napi_env env, napi_callback_info info) {
  napi_value values[3];
  if (!read_arguments(env, info, 3, values)) return NULL;
  struct bytes bytes;
  size_t start, length;
  if (!read_buffer(env, values[0], &bytes)) return NULL;
  if (!read_span(env, values[1], values[2], &bytes, &start, &length)) return NULL;
  struct mapping *mapping = read_mapping(env, values[0]);
  if (mapping == NULL) return NULL;
  size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
  if (start % page_bytes != 0) {
    throw_argument(env, "start", "a multiple of the page size");
    return NULL;
  }
  size_t resident = 0;
  enum { pages_a_call = 16384 };
  unsigned char pages[pages_a_call];
  for (size_t at = start; at < start + length; at += pages_a_call * page_bytes) {
    size_t span = start + length - at;
    if (span > pages_a_call * page_bytes) span = pages_a_call * page_bytes;
    if (mincore(mapping->address + at, span, (void *)pages) < 0) {
      throw_system(env, "mincore", errno);
      return NULL;
    }
    for (size_t page = 0; page * page_bytes < span; page++) {
      if ((pages[page] & 1) == 0) continue;
      size_t rest = span - page * page_bytes;
      resident += rest < page_bytes ? rest : page_bytes;
    }
  }
  napi_value value;
  return napi_create_double(env, (double)resident, &value) == napi_ok ? value : NULL;
}

// As linux/mempolicy.h has them; its header is not everywhere where the system calls are.
enum { policy_preferred = 1, policy_moves = 2, policy_of_address = 3, numa_nodes_max = 1024 };

/** Whole pages of a span, as (from, to); false where there is none. */
static bool whole_pages(const struct bytes *bytes, uintptr_t *from, uintptr_t *to) {
  uintptr_t page_bytes = (uintptr_t)sysconf(_SC_PAGESIZE);
  *from = ((uintptr_t)bytes->data + page_bytes - 1) / page_bytes * page_bytes;
  *to = ((uintptr_t)bytes->data + bytes->length) / page_bytes * page_bytes;
  return *from < *to;
}

/**
 * preferNode(buffer, node): the pages of a buffer come from a NUMA node as long as that has any, those that are there move. False
 * where the system has no such node or does not let us choose.
 */
napi_value prefer_node(napi_env env, napi_callback_info info) {
  napi_value values[2];
  if (!read_arguments(env, info, 2, values)) return NULL;
  struct bytes bytes;
  int64_t node;
  if (!read_buffer(env, values[0], &bytes)) return NULL;
  if (!read_whole(env, values[1], "node", numa_nodes_max - 1, &node)) return NULL;
  bool taken = false;
#if defined(__linux__) && defined(SYS_mbind)
  uintptr_t from, to;
  if (whole_pages(&bytes, &from, &to)) {
    enum { bits_a_word = 8 * sizeof(unsigned long) };
    unsigned long nodes[numa_nodes_max / bits_a_word] = {0};
    nodes[node / bits_a_word] = 1UL << (node % bits_a_word);
    // The kernel reads one bit less than it is told.
    taken = syscall(SYS_mbind, from, to - from, policy_preferred, nodes, numa_nodes_max + 1, policy_moves) == 0;
  }
#endif
  napi_value value;
  return napi_get_boolean(env, taken, &value) == napi_ok ? value : NULL;
}

/** nodeOf(buffer): the NUMA node that the first whole page of a buffer is on; -1 where the system does not say. Touches it. */
napi_value node_of(napi_env env, napi_callback_info info) {
  napi_value values[1];
  if (!read_arguments(env, info, 1, values)) return NULL;
  struct bytes bytes;
  if (!read_buffer(env, values[0], &bytes)) return NULL;
  int node = -1;
#if defined(__linux__) && defined(SYS_get_mempolicy)
  uintptr_t from, to;
  if (!whole_pages(&bytes, &from, &to) || syscall(SYS_get_mempolicy, &node, NULL, 0, from, policy_of_address) != 0) {
    node = -1;
  }
#endif
  napi_value value;
  return napi_create_int32(env, node, &value) == napi_ok ? value : NULL;
}
