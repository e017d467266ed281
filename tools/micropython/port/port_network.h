// Included by extmod/modnetwork.c.
#include "remote.h"
