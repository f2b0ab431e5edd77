{
  "targets": [
    {
      "target_name": "orbitkv_native",
      "sources": ["c/native.c", "c/arguments.c", "c/checksum.c", "c/crc32c.c", "c/file.c", "c/mapping.c"],
      "defines": ["NAPI_VERSION=9"],
      "cflags": ["-O3", "-std=c11", "-Wall", "-Wextra", "-fvisibility=hidden"],
      "xcode_settings": {
        "GCC_OPTIMIZATION_LEVEL": "3",
        "GCC_SYMBOLS_PRIVATE_EXTERN": "YES",
        "MACOSX_DEPLOYMENT_TARGET": "11.0"
      }
    }
  ]
}
