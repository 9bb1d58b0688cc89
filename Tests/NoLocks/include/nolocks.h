// A library to load before all others (LD_PRELOAD): it makes all file locks fail, as on Lustre without -o flock.
#ifndef NOLOCKS_H
#define NOLOCKS_H

int flock(int descriptor, int operation);

#endif
