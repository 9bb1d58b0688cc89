// A library to be loaded before all others (LD_PRELOAD): then no file can be locked, as on Lustre without -o flock.
#ifndef NOLOCKS_H
#define NOLOCKS_H

int flock(int descriptor, int operation);

#endif
