// zlib, which unpacks task files whose names end with .gz.
#include <zlib.h>
