/*
 * What the contestants in C and C++ share: the data of a workload (data/workload.ts), the clock, and the steps that the
 * bench asks for, one line each on standard input:
 *
 *   NAME ARGUMENT...   answered with   ok NUMBER...   or   failed TEXT
 *
 * A contestant defines the functions declared under "the engine" and calls serve(). Times leave out nothing that
 * the JavaScript contestants' times hold, but for the language.
 */

#ifndef ORBIT_BENCH_STEPS_H
#define ORBIT_BENCH_STEPS_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define VALUE_COUNT 1024
#define BATCH_RECORDS 1000
#define KEY_BYTES_MAX 256

typedef struct {
  const uint8_t *keys;
  const uint32_t *ends;
  size_t count;
} accesses_t;

typedef struct {
  const uint8_t *bytes;
  size_t length;
} span_t;

static accesses_t inserted, accessed, zipf;
static const uint32_t *accessed_places;
static const uint8_t *values;
static size_t value_bytes;

/* ---- the engine: each function prints nothing and ends the process by fail() when something is wrong */

static void engine_open(const char *folder, int synced);
static void engine_close(void);
static void engine_begin_batch(void);
static void engine_batch_put(span_t key, span_t value);
static void engine_commit_batch(void);
static void engine_put(span_t key, span_t value);
/* Called before reads that follow writes. */
static void engine_begin_reads(void);
static void engine_end_reads(void);
/* First plus last byte of the value. */
static uint64_t engine_get(span_t key);
static uint64_t engine_view(span_t key);
static uint64_t engine_seek(span_t key);
/* Adds up the last byte of each key and the first and last of each value; counts into *count. */
static uint64_t engine_scan(span_t key, size_t limit, size_t *count);
static int engine_compact(void);

/* ---- */

static void fail(const char *what, const char *why) {
  printf("failed %s: %s\n", what, why);
  fflush(stdout);
  exit(1);
}

static const void *map_file(const char *folder, const char *name, size_t *bytes) {
  char path[4096];
  struct stat facts;
  snprintf(path, sizeof path, "%s/%s", folder, name);
  int file = open(path, O_RDONLY);
  if (file < 0 || fstat(file, &facts) != 0) fail("open", path);
  void *data = mmap(NULL, (size_t)facts.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
  if (data == MAP_FAILED) fail("mmap", path);
  close(file);
  *bytes = (size_t)facts.st_size;
  return data;
}

static accesses_t load_accesses(const char *folder, const char *name) {
  accesses_t all;
  char file[64];
  size_t bytes;
  snprintf(file, sizeof file, "%s.keys", name);
  all.keys = (const uint8_t *)map_file(folder, file, &bytes);
  snprintf(file, sizeof file, "%s.ends", name);
  all.ends = (const uint32_t *)map_file(folder, file, &bytes);
  all.count = bytes / 4;
  return all;
}

static void load_workload(const char *folder) {
  size_t bytes;
  inserted = load_accesses(folder, "inserted");
  accessed = load_accesses(folder, "accessed");
  zipf = load_accesses(folder, "zipf");
  accessed_places = (const uint32_t *)map_file(folder, "accessed.places", &bytes);
  values = (const uint8_t *)map_file(folder, "values", &bytes);
  value_bytes = bytes / VALUE_COUNT;
}

static inline span_t key_at(const accesses_t *all, size_t i) {
  uint32_t start = i == 0 ? 0 : all->ends[i - 1];
  span_t key = {all->keys + start, all->ends[i] - start};
  return key;
}

static inline span_t value_of(size_t place, size_t version) {
  span_t value = {values + ((place + version) & (VALUE_COUNT - 1)) * value_bytes, value_bytes};
  return value;
}

static inline uint64_t ends_of(const uint8_t *bytes, size_t length) { return (uint64_t)bytes[0] + bytes[length - 1]; }

static double now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* As a caller in JavaScript does: the key is copied into a buffer that is reused. */
static inline span_t fill(const accesses_t *all, size_t i, uint8_t *reused) {
  span_t key = key_at(all, i);
  memcpy(reused, key.bytes, key.length);
  key.bytes = reused;
  return key;
}

static void answer_rate(double value, uint64_t sum) { printf("ok %.6f %llu\n", value, (unsigned long long)sum); }

static void insert(size_t from, size_t to, double seconds_max, size_t version) {
  double start = now_ns();
  double longest = 0;
  size_t done = from;
  while (done < to && now_ns() - start < seconds_max * 1e9) {
    double began = now_ns();
    size_t end = done + BATCH_RECORDS < to ? done + BATCH_RECORDS : to;
    engine_begin_batch();
    for (size_t place = done; place < end; place++) engine_batch_put(key_at(&inserted, place), value_of(place, version));
    engine_commit_batch();
    done = end;
    double took = now_ns() - began;
    if (took > longest) longest = took;
  }
  if (done == inserted.count) {
    size_t count = 0;
    span_t first = {(const uint8_t *)"", 0};
    engine_begin_reads();
    engine_scan(first, (size_t)-1, &count);
    engine_end_reads();
    if (count != inserted.count) fail("insert", "a range returned another number of records");
  }
  printf("ok %.6f %zu %.3f\n", (now_ns() - start) / 1e9, done - from, longest / 1e6);
}

static void reads(const accesses_t *all, size_t from, size_t count, uint64_t (*read)(span_t)) {
  uint8_t reused[KEY_BYTES_MAX];
  uint64_t sum = 0;
  double start = now_ns();
  engine_begin_reads();
  for (size_t i = from; i < from + count; i++) sum += read(fill(all, i % all->count, reused));
  engine_end_reads();
  answer_rate((now_ns() - start) / (double)count, sum);
}

static uint64_t read_nothing(span_t key) { return key.bytes[0]; }

static void scans(size_t from, size_t count, size_t limit) {
  uint8_t reused[KEY_BYTES_MAX];
  uint64_t sum = 0;
  size_t entries = 0;
  double start = now_ns();
  engine_begin_reads();
  for (size_t i = from; i < from + count; i++) {
    sum += engine_scan(fill(&accessed, i % accessed.count, reused), limit, &entries);
  }
  engine_end_reads();
  answer_rate((double)entries * 1e9 / (now_ns() - start), sum);
}

static void mixed(size_t from, size_t count, size_t every, size_t version) {
  uint8_t reused[KEY_BYTES_MAX];
  uint64_t sum = 0;
  double start = now_ns();
  int reading = 0;
  for (size_t n = 0; n < count; n++) {
    size_t i = (from + n) % accessed.count;
    span_t key = fill(&accessed, i, reused);
    if (n % every == 0) {
      if (reading) engine_end_reads();
      reading = 0;
      engine_put(key, value_of(accessed_places[i], version));
    } else {
      if (!reading) engine_begin_reads();
      reading = 1;
      sum += engine_get(key);
    }
  }
  if (reading) engine_end_reads();
  answer_rate((now_ns() - start) / (double)count, sum);
}

static void durable(size_t from, size_t records, size_t group, size_t version) {
  double start = now_ns();
  for (size_t done = 0; done < records; done += group) {
    if (group == 1) engine_put(key_at(&inserted, from + done), value_of(from + done, version));
    else {
      engine_begin_batch();
      for (size_t place = from + done; place < from + done + group; place++) {
        engine_batch_put(key_at(&inserted, place), value_of(place, version));
      }
      engine_commit_batch();
    }
  }
  answer_rate((double)records * 1e9 / (now_ns() - start), 0);
}

static void reopen(const char *folder, int synced) {
  double start = now_ns();
  engine_open(folder, synced);
  engine_begin_reads();
  engine_get(key_at(&inserted, 0));
  engine_end_reads();
  answer_rate((now_ns() - start) / 1e9, 0);
}

static int serve(int argc, char **argv) {
  if (argc != 2) return 2;
  load_workload(argv[1]);
  char line[8192], step[64], folder[4096];
  while (fgets(line, sizeof line, stdin) != NULL) {
    size_t a = 0, b = 0, c = 0, d = 0;
    if (sscanf(line, "%63s", step) != 1) continue;
    const char *rest = line + strlen(step);
    int is_folder = strcmp(step, "open") == 0 || strcmp(step, "reopen") == 0;
    if (is_folder) {
      char way[32];
      if (sscanf(rest, "%4095s %31s", folder, way) != 2) fail(step, "wants a folder and a way");
      int synced = strcmp(way, "synced") == 0;
      if (step[0] == 'r') reopen(folder, synced);
      else {
        engine_open(folder, synced);
        printf("ok\n");
      }
    } else {
      sscanf(rest, "%zu %zu %zu %zu", &a, &b, &c, &d);
      if (strcmp(step, "insert") == 0) insert(a, b, (double)c, d);
      else if (strcmp(step, "loop") == 0) reads(&accessed, a, b, read_nothing);
      else if (strcmp(step, "get") == 0) reads(&accessed, a, b, engine_get);
      else if (strcmp(step, "view") == 0) reads(&accessed, a, b, engine_view);
      else if (strcmp(step, "zipf-get") == 0) reads(&zipf, a, b, engine_get);
      else if (strcmp(step, "zipf-view") == 0) reads(&zipf, a, b, engine_view);
      else if (strcmp(step, "seek") == 0) reads(&accessed, a, b, engine_seek);
      else if (strcmp(step, "scan") == 0) scans(a, b, c);
      else if (strcmp(step, "mixed") == 0) mixed(a, b, c, d);
      else if (strcmp(step, "durable") == 0) durable(a, b, c, d);
      else if (strcmp(step, "compact") == 0) {
        double start = now_ns();
        int done = engine_compact();
        printf("ok %d %.6f\n", done, (now_ns() - start) / 1e9);
      } else if (strcmp(step, "close") == 0) {
        engine_close();
        printf("ok\n");
      } else printf("failed there is no step %s\n", step);
    }
    fflush(stdout);
  }
  return 0;
}

#endif
