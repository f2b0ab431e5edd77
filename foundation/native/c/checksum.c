/** crc32c for JavaScript: one span, or many in one crossing. */

#include "arguments.h"
#include "crc32c.h"
#include "functions.h"

static napi_value checksum_with(napi_env env, napi_callback_info info,
                                uint32_t (*run)(uint32_t crc, const uint8_t *data, size_t length)) {
  napi_value values[4];
  if (!read_arguments(env, info, 4, values)) return NULL;
  int64_t seed, start, end;
  struct bytes bytes;
  if (!read_whole(env, values[0], "seed", UINT32_MAX, &seed)) return NULL;
  if (!read_bytes(env, values[1], "bytes", &bytes)) return NULL;
  if (!read_whole(env, values[3], "end", (double)bytes.length, &end)) return NULL;
  if (!read_whole(env, values[2], "start", (double)end, &start)) return NULL;
  napi_value result;
  uint32_t crc = run((uint32_t)seed, bytes.data + start, (size_t)(end - start));
  return napi_create_uint32(env, crc, &result) == napi_ok ? result : NULL;
}

/** crc32c(seed, bytes, start, end): the checksum of bytes[start, end). */
napi_value checksum(napi_env env, napi_callback_info info) { return checksum_with(env, info, crc32c); }

/** crc32cTables: the same by tables, for tests and measurements. */
napi_value checksum_by_tables(napi_env env, napi_callback_info info) {
  return checksum_with(env, info, crc32c_by_tables);
}

/**
 * crc32cMany(seed, bytes, spans, count): `spans` holds pairs (start, end); the checksum of bytes[start + 4, end) goes
 * little-endian into the four bytes at start. All pairs are checked before the first byte changes.
 */
napi_value checksum_many(napi_env env, napi_callback_info info) {
  napi_value values[4];
  if (!read_arguments(env, info, 4, values)) return NULL;
  int64_t seed, count;
  struct bytes bytes;
  if (!read_whole(env, values[0], "seed", UINT32_MAX, &seed)) return NULL;
  if (!read_bytes(env, values[1], "bytes", &bytes)) return NULL;
  napi_typedarray_type type;
  size_t span_words;
  void *span_data;
  if (napi_get_typedarray_info(env, values[2], &type, &span_words, &span_data, NULL, NULL) != napi_ok ||
      type != napi_uint32_array) {
    throw_argument(env, "spans", "a Uint32Array");
    return NULL;
  }
  if (!read_whole(env, values[3], "count", (double)(span_words / 2), &count)) return NULL;
  const uint32_t *spans = span_data;
  for (int64_t i = 0; i < count; i++) {
    uint64_t start = spans[2 * i];
    uint64_t end = spans[2 * i + 1];
    if (start + 4 > end || end > bytes.length) {
      throw_argument(env, "spans", "pairs (start, end) within bytes, at least 4 bytes each");
      return NULL;
    }
  }
  for (int64_t i = 0; i < count; i++) {
    uint8_t *start = bytes.data + spans[2 * i];
    uint32_t crc = crc32c((uint32_t)seed, start + 4, spans[2 * i + 1] - spans[2 * i] - 4);
    start[0] = (uint8_t)crc;
    start[1] = (uint8_t)(crc >> 8);
    start[2] = (uint8_t)(crc >> 16);
    start[3] = (uint8_t)(crc >> 24);
  }
  return NULL;
}
