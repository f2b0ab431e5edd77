/*
 * RocksDB from C++ in the comparison of engines, tuned after its wiki for data that fits in memory: OptimizeForPointLookup (bloom
 * filters of 10 bits, hash index in blocks, a block cache that holds everything), IncreaseParallelism, larger memtables, LZ4.
 */

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/write_batch.h>

#include <memory>
#include <string>

#include "steps.h"

static rocksdb::DB *db;
static rocksdb::WriteBatch batch;
static rocksdb::WriteOptions writing;
static rocksdb::ReadOptions reading;

static void check(const rocksdb::Status &status, const char *what) {
  if (!status.ok()) fail(what, status.ToString().c_str());
}

static rocksdb::Slice slice(span_t span) { return rocksdb::Slice(reinterpret_cast<const char *>(span.bytes), span.length); }

static uint64_t last_byte(const rocksdb::Slice &key) { return static_cast<uint8_t>(key[key.size() - 1]); }

static uint64_t ends_of(const rocksdb::Slice &value) {
  return ends_of(reinterpret_cast<const uint8_t *>(value.data()), value.size());
}

static void engine_open(const char *folder, int synced) {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.IncreaseParallelism(2);
  options.OptimizeForPointLookup(4096);
  options.write_buffer_size = 128 << 20;
  options.max_write_buffer_number = 4;
  options.target_file_size_base = 64 << 20;
  options.max_bytes_for_level_base = 512 << 20;
  options.compression = rocksdb::kLZ4Compression;
  options.level_compaction_dynamic_level_bytes = true;
  options.max_open_files = -1;
  writing.sync = synced;
  check(rocksdb::DB::Open(options, std::string(folder) + "/rocksdb", &db), "open");
}

static void engine_close(void) {
  check(db->Close(), "close");
  delete db;
}

static void engine_begin_batch(void) { batch.Clear(); }

static void engine_batch_put(span_t key, span_t value) { check(batch.Put(slice(key), slice(value)), "put"); }

static void engine_commit_batch(void) { check(db->Write(writing, &batch), "write"); }

static void engine_put(span_t key, span_t value) { check(db->Put(writing, slice(key), slice(value)), "put"); }

static void engine_begin_reads(void) {}

static void engine_end_reads(void) {}

static uint64_t engine_view(span_t key) {
  static rocksdb::PinnableSlice value;
  value.Reset();
  check(db->Get(reading, db->DefaultColumnFamily(), slice(key), &value), "get");
  return ends_of(value);
}

static uint64_t engine_get(span_t key) {
  static std::string value;
  check(db->Get(reading, slice(key), &value), "get");
  return ends_of(rocksdb::Slice(value));
}

static uint64_t engine_seek(span_t key) {
  std::unique_ptr<rocksdb::Iterator> iterator(db->NewIterator(reading));
  iterator->Seek(slice(key));
  if (!iterator->Valid()) fail("seek", "there is no such key");
  return last_byte(iterator->key());
}

static uint64_t engine_scan(span_t key, size_t limit, size_t *count) {
  std::unique_ptr<rocksdb::Iterator> iterator(db->NewIterator(reading));
  uint64_t sum = 0;
  iterator->Seek(slice(key));
  for (size_t left = limit; left > 0 && iterator->Valid(); left--) {
    sum += last_byte(iterator->key()) + ends_of(iterator->value());
    ++*count;
    iterator->Next();
  }
  check(iterator->status(), "scan");
  return sum;
}

static int engine_compact(void) {
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  check(db->CompactRange(options, nullptr, nullptr), "compact");
  return 1;
}

int main(int argc, char **argv) { return serve(argc, argv); }
