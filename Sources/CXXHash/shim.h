// XXH3, the checksum of manifests, caches and layouts.
#include <xxhash.h>
