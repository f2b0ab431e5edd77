/*
 * LMDB from C in the comparison of engines. Unsynced it runs with MDB_NOSYNC and MDB_NOMETASYNC, without the write map, as the
 * contestant through lmdb-js does. One read transaction serves a run of reads; a read after a write renews it.
 */

#include <lmdb.h>

#include "steps.h"

static MDB_env *env;
static MDB_dbi dbi;
static MDB_txn *writing, *reading;
static MDB_cursor *cursor;

static void check(int code, const char *what) {
  if (code != MDB_SUCCESS) fail(what, mdb_strerror(code));
}

static MDB_val val(span_t span) {
  MDB_val out = {span.length, (void *)span.bytes};
  return out;
}

static void engine_open(const char *folder, int synced) {
  char path[4200];
  snprintf(path, sizeof path, "%s/data.mdb", folder);
  check(mdb_env_create(&env), "create");
  check(mdb_env_set_mapsize(env, (size_t)64 << 30), "map size");
  unsigned flags = MDB_NOSUBDIR | MDB_NOMEMINIT | MDB_NOTLS | (synced ? 0 : MDB_NOSYNC | MDB_NOMETASYNC);
  check(mdb_env_open(env, path, flags, 0644), "open");
  check(mdb_txn_begin(env, NULL, 0, &writing), "begin");
  check(mdb_dbi_open(writing, NULL, 0, &dbi), "dbi");
  check(mdb_txn_commit(writing), "commit");
  check(mdb_txn_begin(env, NULL, MDB_RDONLY, &reading), "begin reading");
  check(mdb_cursor_open(reading, dbi, &cursor), "cursor");
  mdb_txn_reset(reading);
}

static void engine_close(void) {
  mdb_cursor_close(cursor);
  mdb_txn_abort(reading);
  mdb_env_close(env);
}

static void engine_begin_batch(void) { check(mdb_txn_begin(env, NULL, 0, &writing), "begin"); }

static void engine_batch_put(span_t key, span_t value) {
  MDB_val k = val(key), v = val(value);
  check(mdb_put(writing, dbi, &k, &v, 0), "put");
}

static void engine_commit_batch(void) { check(mdb_txn_commit(writing), "commit"); }

static void engine_put(span_t key, span_t value) {
  engine_begin_batch();
  engine_batch_put(key, value);
  engine_commit_batch();
}

static void engine_begin_reads(void) {
  check(mdb_txn_renew(reading), "renew");
  check(mdb_cursor_renew(reading, cursor), "renew the cursor");
}

static void engine_end_reads(void) { mdb_txn_reset(reading); }

static uint64_t engine_view(span_t key) {
  MDB_val k = val(key), v;
  check(mdb_get(reading, dbi, &k, &v), "get");
  return ends_of((const uint8_t *)v.mv_data, v.mv_size);
}

static uint64_t engine_get(span_t key) {
  static uint8_t copy[1 << 20];
  MDB_val k = val(key), v;
  check(mdb_get(reading, dbi, &k, &v), "get");
  memcpy(copy, v.mv_data, v.mv_size);
  return ends_of(copy, v.mv_size);
}

static uint64_t engine_seek(span_t key) {
  MDB_val k = val(key), v;
  check(mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE), "seek");
  return ((const uint8_t *)k.mv_data)[k.mv_size - 1];
}

static uint64_t engine_scan(span_t key, size_t limit, size_t *count) {
  MDB_val k = val(key), v;
  uint64_t sum = 0;
  int code = mdb_cursor_get(cursor, &k, &v, key.length == 0 ? MDB_FIRST : MDB_SET_RANGE);
  for (size_t left = limit; left > 0 && code == MDB_SUCCESS; left--) {
    sum += ((const uint8_t *)k.mv_data)[k.mv_size - 1] + ends_of((const uint8_t *)v.mv_data, v.mv_size);
    ++*count;
    if (left > 1) code = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
  }
  return sum;
}

static int engine_compact(void) { return 0; }

int main(int argc, char **argv) { return serve(argc, argv); }
