// Power-on to REPL, in the order of ports/esp8266/main.c, for one simulated board.
//
//   mpy-e8266 [--flash IMAGE] [--wire FD] [--heap BYTES] [--collect BYTES] [--bare] [--script FILE]
//
// --flash   the chip's flash, mapped where the board has it (default: 4 MiB, erased, forgotten at the end)
// --wire    an open descriptor to the simulated hardware (default: none; clock and flash work, other hardware raises OSError)
// --heap    size of the C heap (default 38912: the board's)
// --collect collect garbage whenever so much has been allocated, to find the most that is alive at any time (default: as on the board)
// --bare    do not mount the file system
// --script  run this file of the host instead of boot.py and main.py, then end: 0, or 1 if it raised
// Without --script: _boot.py, boot.py, main.py, then the REPL on standard input. See wire.h for the exit codes.
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "py/compile.h"
#include "py/cstack.h"
#include "py/gc.h"
#include "py/mperrno.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "shared/readline/readline.h"
#include "shared/runtime/gchelper.h"
#include "shared/runtime/pyexec.h"
#include "wire.h"

void flash_open(const char *image);

static struct {
    const char *flash, *script;
    size_t heap, collect;
    int wire;
    bool bare;
} options = { .heap = 38 * 1024, .wire = -1 };
static char *heap;
size_t hal_heap_peak, hal_heap_tightest = (size_t)-1;

static void usage(void) {
    fprintf(stderr, "usage: mpy-e8266 [--flash IMAGE] [--wire FD] [--heap BYTES] [--collect BYTES] [--bare] [--script FILE]\n");
    exit(EXIT_USAGE);
}

static void parse_options(int argc, char **argv) {
    for (int i = 1; i < argc; ++i) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        if (strcmp(argv[i], "--bare") == 0) {
            options.bare = true;
            continue;
        } else if (value == NULL) {
            usage();
        } else if (strcmp(argv[i], "--flash") == 0) {
            options.flash = value;
        } else if (strcmp(argv[i], "--script") == 0) {
            options.script = value;
        } else if (strcmp(argv[i], "--heap") == 0) {
            options.heap = strtoul(value, NULL, 10);
        } else if (strcmp(argv[i], "--collect") == 0) {
            options.collect = strtoul(value, NULL, 10);
        } else if (strcmp(argv[i], "--wire") == 0) {
            options.wire = atoi(value);
        } else {
            usage();
        }
        ++i;
    }
}

static char *read_script(size_t *len) {
    int fd = open(options.script, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) {
        fprintf(stderr, "mpy-e8266: cannot read %s\n", options.script);
        exit(EXIT_USAGE);
    }
    char *text = malloc(st.st_size + 1);
    *len = read(fd, text, st.st_size);
    close(fd);
    return text;
}

static int run_script(void) {
    size_t len;
    char *text = read_script(&len);
    nlr_buf_t nlr;
    mp_hal_set_interrupt_char(3);
    if (nlr_push(&nlr) == 0) {
        mp_lexer_t *lex = mp_lexer_new_from_str_len(qstr_from_str("script"), text, len, 0);
        mp_parse_tree_t tree = mp_parse(lex, MP_PARSE_FILE_INPUT);
        mp_call_function_0(mp_compile(&tree, lex->source_name, false));
        nlr_pop();
        return 0;
    }
    mp_obj_t raised = MP_OBJ_FROM_PTR(nlr.ret_val);
    if (mp_obj_is_subclass_fast(MP_OBJ_FROM_PTR(mp_obj_get_type(raised)), MP_OBJ_FROM_PTR(&mp_type_SystemExit))) {
        mp_obj_t code = mp_obj_exception_get_value(raised);
        return code == mp_const_none ? 0 : mp_obj_get_int(code);
    }
    mp_obj_print_exception(&mp_plat_print, raised);
    return 1;
}

static void start(void *stack_top) {
    mp_cstack_init_with_top(stack_top, 8192);
    gc_init(heap, heap + options.heap);
    mp_init();
    mp_obj_list_append(mp_sys_path, MP_OBJ_NEW_QSTR(MP_QSTR__slash_lib));
    mp_obj_list_append(mp_sys_path, MP_OBJ_NEW_QSTR(MP_QSTR__slash_));
    memset(MP_STATE_PORT(remote_handlers), 0, sizeof(MP_STATE_PORT(remote_handlers)));
    memset(MP_STATE_PORT(remote_sources), 0, sizeof(MP_STATE_PORT(remote_sources)));
    readline_init0();
    if (!options.bare) {
        pyexec_frozen_module("_boot.py", false);
    }
    if (options.script == NULL) {
        int ret = pyexec_file_if_exists("boot.py");
        if (pyexec_mode_kind == PYEXEC_MODE_FRIENDLY_REPL && ret != 0) {
            pyexec_file_if_exists("main.py");
        }
    }
}

// Kept apart from main(): the stack that the board counts, and that is searched for what is still in use, starts here. Not in start():
// the prompts are no callees of it, and what lies highest in their frames, the line that is being typed, would not be seen.
static MP_NOINLINE int live(void) {
    void *stack_top = __builtin_frame_address(0);
    start(stack_top);
    if (options.script != NULL) {
        return run_script();
    }
    for (;;) {
        int ret = pyexec_mode_kind == PYEXEC_MODE_RAW_REPL ? pyexec_raw_repl() : pyexec_friendly_repl();
        if (ret != 0) {
            gc_sweep_all();
            mp_hal_stdout_tx_str("MPY: soft reboot\r\n");
            start(stack_top);
        }
    }
}

int main(int argc, char **argv) {
    parse_options(argc, argv);
    heap = (char *)memalign(16, options.heap + 16) + 8; // not on a block, as on the board: 37 952 of 38 912 bytes are usable
    flash_open(options.flash);
    wire_open(options.wire);
    hal_console_init();
    return live();
}

void gc_collect(void) {
    gc_collect_start();
    gc_helper_collect_regs_and_stack();
    gc_collect_end();
    if (options.collect != 0) {
        gc_info_t info;
        gc_info(&info);
        size_t largest = info.max_free * MICROPY_BYTES_PER_GC_BLOCK;
        hal_heap_peak = info.used > hal_heap_peak ? info.used : hal_heap_peak;
        hal_heap_tightest = largest < hal_heap_tightest ? largest : hal_heap_tightest;
        MP_STATE_MEM(gc_alloc_threshold) = options.collect / MICROPY_BYTES_PER_GC_BLOCK;
    }
}

void nlr_jump_fail(void *val) {
    (void)val;
    fprintf(stderr, "mpy-e8266: exception outside of any handler\n");
    _exit(EXIT_CRASH);
}
