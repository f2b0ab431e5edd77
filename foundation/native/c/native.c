/**
 * The addon's entry: what Node cannot do for OrbitKV, over Node-API version 9.
 *
 * It may be loaded in any number of workers: what it keeps is each thread's own (mapping.c), but for the tables of
 * crc32c. src/index.ts types and documents the functions.
 */

#include "arguments.h"
#include "crc32c.h"
#include "functions.h"

#define FUNCTION(name, callback) \
  { name, NULL, callback, NULL, NULL, NULL, napi_enumerable, NULL }

NAPI_MODULE_INIT() {
  crc32c_prepare();
  if (!prepare_mappings(env)) {
    throw_internal(env, "no memory to load the addon");
    return NULL;
  }
  napi_value way;
  if (napi_create_string_utf8(env, crc32c_way, NAPI_AUTO_LENGTH, &way) != napi_ok) return NULL;
  const napi_property_descriptor properties[] = {
      FUNCTION("map", map_file),
      FUNCTION("unmap", unmap_file),
      FUNCTION("advise", advise),
      FUNCTION("residentBytes", resident_bytes),
      FUNCTION("preferNode", prefer_node),
      FUNCTION("nodeOf", node_of),
      FUNCTION("read", read_file),
      FUNCTION("readNoWait", read_no_wait),
      FUNCTION("write", write_file),
      FUNCTION("fdatasync", sync_data),
      FUNCTION("fallocate", allocate_file),
      FUNCTION("dropCached", drop_cached),
      FUNCTION("lock", lock_file),
      FUNCTION("unlock", unlock_file),
      FUNCTION("crc32c", checksum),
      FUNCTION("crc32cTables", checksum_by_tables),
      FUNCTION("crc32cMany", checksum_many),
      {"crc32cWay", NULL, NULL, NULL, NULL, way, napi_enumerable, NULL},
  };
  if (napi_define_properties(env, exports, sizeof properties / sizeof *properties, properties) != napi_ok) return NULL;
  return exports;
}
