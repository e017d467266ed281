// What the core asks of the machine below it (hal.c, console.c).
#include "shared/runtime/interrupt_char.h"

void hal_console_init(void);
size_t hal_console_pending(void);
bool hal_console_watched(void);
int hal_console_get(void);

static inline mp_uint_t mp_hal_ticks_cpu(void) {
    return 0;
}
