// OpenBLAS through its C interface; the path comes from pkg-config.
#include <cblas.h>
