/** Every function that JavaScript sees, by the file that holds it; native.c registers them. */
#ifndef ORBITKV_FUNCTIONS_H
#define ORBITKV_FUNCTIONS_H

#include <node_api.h>
#include <stdbool.h>

/* mapping.c */
/** Sets up the thread's account; false when there is no memory for it. */
bool prepare_mappings(napi_env env);
napi_value map_file(napi_env env, napi_callback_info info);
napi_value unmap_file(napi_env env, napi_callback_info info);
napi_value advise(napi_env env, napi_callback_info info);
napi_value resident_bytes(napi_env env, napi_callback_info info);
napi_value prefer_node(napi_env env, napi_callback_info info);
napi_value node_of(napi_env env, napi_callback_info info);

/* file.c */
napi_value read_file(napi_env env, napi_callback_info info);
napi_value read_no_wait(napi_env env, napi_callback_info info);
napi_value write_file(napi_env env, napi_callback_info info);
napi_value sync_data(napi_env env, napi_callback_info info);
napi_value allocate_file(napi_env env, napi_callback_info info);
napi_value drop_cached(napi_env env, napi_callback_info info);
napi_value lock_file(napi_env env, napi_callback_info info);
napi_value unlock_file(napi_env env, napi_callback_info info);

/* checksum.c */
napi_value checksum(napi_env env, napi_callback_info info);
napi_value checksum_by_tables(napi_env env, napi_callback_info info);
napi_value checksum_many(napi_env env, napi_callback_info info);

#endif
