// OpenBLAS through its C interface; the path comes from pkg-config.
#include <cblas.h>
#include <stddef.h>

// LAPACK, which is part of OpenBLAS, by its Fortran names: few distributions install a C header for it. Matrices are stored column
// by column. A Fortran compiler appends the lengths of all texts; code that was translated to C ignores them.

// Singular value decomposition by divide and conquer.
void dgesdd_(const char *jobz, const blasint *m, const blasint *n, double *a, const blasint *lda, double *s, double *u,
             const blasint *ldu, double *vt, const blasint *ldvt, double *work, const blasint *lwork, blasint *iwork,
             blasint *info, size_t jobz_length);

// Eigenvalues and eigenvectors of a symmetric matrix by divide and conquer.
void dsyevd_(const char *jobz, const char *uplo, const blasint *n, double *a, const blasint *lda, double *w, double *work,
             const blasint *lwork, blasint *iwork, const blasint *liwork, blasint *info, size_t jobz_length,
             size_t uplo_length);
