// Module socket: the methods of extmod/modlwip.c, each forwarded. The object is as large as lwIP's on the board and closes itself
// when it is collected, as there; buffers and timeouts are at the other end.
#include <string.h>
#include "py/mperrno.h"
#include "py/objstr.h"
#include "py/stream.h"
#include "remote.h"

void hal_watch(mp_int_t id, mp_int_t flags);

typedef struct { remote_obj_t remote; uint32_t like_the_boards[12]; } socket_obj_t;

static mp_obj_t socket_adopt(mp_int_t id) {
    socket_obj_t *self = mp_obj_malloc_with_finaliser(socket_obj_t, &socket_type);
    self->remote.id = id;
    return MP_OBJ_FROM_PTR(self);
}

static mp_obj_t socket_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)type;
    mp_arg_check_num(n_args, n_kw, 0, 4, false);
    return socket_adopt(remote_new("socket.socket", n_args, n_kw, args));
}

static mp_obj_t socket_accept(mp_obj_t self) {
    mp_obj_t pair = wire_call(".accept", 1, &self, NULL);
    mp_obj_t *items;
    mp_obj_get_array_fixed_n(pair, 2, &items);
    items[0] = socket_adopt(mp_obj_get_int(items[0]));
    return pair;
}
static MP_DEFINE_CONST_FUN_OBJ_1(socket_accept_obj, socket_accept);

static mp_obj_t socket_makefile(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    return args[0];
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_makefile_obj, 1, 3, socket_makefile);

// What a stream does with an OSError of the other end is decided by its number, so it is caught and handed on as one.
static mp_uint_t guarded(mp_int_t (*action)(mp_obj_t, void *, mp_uint_t), mp_obj_t self, void *buf, mp_uint_t size, int *errcode) {
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        mp_int_t n = action(self, buf, size);
        nlr_pop();
        if (n < 0) {
            *errcode = MP_EAGAIN; // only then: a stream that says so with its bytes is read as "nothing there"
            return MP_STREAM_ERROR;
        }
        return n;
    }
    mp_obj_t raised = MP_OBJ_FROM_PTR(nlr.ret_val);
    if (!mp_obj_is_subclass_fast(MP_OBJ_FROM_PTR(mp_obj_get_type(raised)), MP_OBJ_FROM_PTR(&mp_type_OSError))) {
        nlr_jump(nlr.ret_val);
    }
    mp_obj_t number = mp_obj_exception_get_value(raised);
    *errcode = mp_obj_is_int(number) ? mp_obj_get_int(number) : MP_EIO;
    return MP_STREAM_ERROR;
}

static mp_int_t do_read(mp_obj_t self, void *buf, mp_uint_t size) {
    mp_obj_t args[2] = { self, MP_OBJ_NEW_SMALL_INT(size) };
    return wire_call_into(".recv", 2, args, buf, size);
}

static mp_int_t do_write(mp_obj_t self, void *buf, mp_uint_t size) {
    mp_obj_str_t bytes = { { &mp_type_bytes }, 0, size, buf }; // on the stack: sending must not need heap
    mp_obj_t args[2] = { self, MP_OBJ_FROM_PTR(&bytes) };
    mp_obj_t n = wire_call(".send", 2, args, NULL);
    return n == mp_const_none ? -1 : mp_obj_get_int(n);
}

static mp_uint_t socket_read(mp_obj_t self, void *buf, mp_uint_t size, int *errcode) {
    return guarded(do_read, self, buf, size, errcode);
}

static mp_uint_t socket_write(mp_obj_t self, const void *buf, mp_uint_t size, int *errcode) {
    return guarded(do_write, self, (void *)buf, size, errcode);
}

static mp_uint_t socket_ioctl(mp_obj_t self, mp_uint_t request, uintptr_t arg, int *errcode) {
    if (request == MP_STREAM_POLL) {
        mp_obj_t args[2] = { self, MP_OBJ_NEW_SMALL_INT(arg) };
        mp_uint_t ready = mp_obj_get_int(wire_call("board.poll", 2, args, NULL));
        if (ready == 0) {
            hal_watch(((remote_obj_t *)MP_OBJ_TO_PTR(self))->id, arg);
        }
        return ready;
    } else if (request == MP_STREAM_CLOSE) {
        wire_close(self);
        return 0;
    }
    *errcode = MP_EINVAL;
    return MP_STREAM_ERROR;
}

REMOTE_METHOD(socket, bind, 2, 2);
REMOTE_METHOD(socket, listen, 1, 2);
REMOTE_METHOD(socket, connect, 2, 2);
REMOTE_METHOD(socket, send, 2, 3);
REMOTE_METHOD(socket, sendall, 2, 3);
REMOTE_METHOD(socket, recv, 2, 3);
REMOTE_METHOD(socket, sendto, 3, 3);
REMOTE_METHOD(socket, recvfrom, 2, 2);
REMOTE_METHOD(socket, settimeout, 2, 2);
REMOTE_METHOD(socket, setblocking, 2, 2);
REMOTE_METHOD(socket, setsockopt, 4, 4);

static const mp_rom_map_elem_t socket_locals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___del__), MP_ROM_PTR(&mp_stream_close_obj) },
    { MP_ROM_QSTR(MP_QSTR_close), MP_ROM_PTR(&mp_stream_close_obj) },
    REMOTE_ENTRY(socket, bind),
    REMOTE_ENTRY(socket, listen),
    REMOTE_ENTRY(socket, accept),
    REMOTE_ENTRY(socket, connect),
    REMOTE_ENTRY(socket, send),
    REMOTE_ENTRY(socket, sendall),
    REMOTE_ENTRY(socket, recv),
    REMOTE_ENTRY(socket, sendto),
    REMOTE_ENTRY(socket, recvfrom),
    REMOTE_ENTRY(socket, settimeout),
    REMOTE_ENTRY(socket, setblocking),
    REMOTE_ENTRY(socket, setsockopt),
    REMOTE_ENTRY(socket, makefile),
    { MP_ROM_QSTR(MP_QSTR_read), MP_ROM_PTR(&mp_stream_read_obj) },
    { MP_ROM_QSTR(MP_QSTR_readinto), MP_ROM_PTR(&mp_stream_readinto_obj) },
    { MP_ROM_QSTR(MP_QSTR_readline), MP_ROM_PTR(&mp_stream_unbuffered_readline_obj) },
    { MP_ROM_QSTR(MP_QSTR_write), MP_ROM_PTR(&mp_stream_write_obj) },
};
static MP_DEFINE_CONST_DICT(socket_locals, socket_locals_table);

static const mp_stream_p_t socket_protocol = { .read = socket_read, .write = socket_write, .ioctl = socket_ioctl };

MP_DEFINE_CONST_OBJ_TYPE(
    socket_type, MP_QSTR_socket, MP_TYPE_FLAG_NONE,
    make_new, socket_make_new,
    protocol, &socket_protocol,
    locals_dict, &socket_locals
    );

static mp_obj_t socket_getaddrinfo(size_t n_args, const mp_obj_t *args) {
    return wire_call("socket.getaddrinfo", n_args, args, NULL);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(socket_getaddrinfo_obj, 2, 6, socket_getaddrinfo);

static const mp_rom_map_elem_t socket_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_lwip) },
    REMOTE_ENTRY(socket, getaddrinfo),
    { MP_ROM_QSTR(MP_QSTR_socket), MP_ROM_PTR(&socket_type) },
    { MP_ROM_QSTR(MP_QSTR_AF_INET), MP_ROM_INT(2) },
    { MP_ROM_QSTR(MP_QSTR_AF_INET6), MP_ROM_INT(10) },
    { MP_ROM_QSTR(MP_QSTR_SOCK_STREAM), MP_ROM_INT(1) },
    { MP_ROM_QSTR(MP_QSTR_SOCK_DGRAM), MP_ROM_INT(2) },
    { MP_ROM_QSTR(MP_QSTR_SOCK_RAW), MP_ROM_INT(3) },
    { MP_ROM_QSTR(MP_QSTR_SOL_SOCKET), MP_ROM_INT(1) },
    { MP_ROM_QSTR(MP_QSTR_SO_REUSEADDR), MP_ROM_INT(4) },
    { MP_ROM_QSTR(MP_QSTR_SO_BROADCAST), MP_ROM_INT(32) },
    { MP_ROM_QSTR(MP_QSTR_IPPROTO_IP), MP_ROM_INT(0) },
    { MP_ROM_QSTR(MP_QSTR_IPPROTO_TCP), MP_ROM_INT(6) },
    { MP_ROM_QSTR(MP_QSTR_TCP_NODELAY), MP_ROM_INT(1) },
    { MP_ROM_QSTR(MP_QSTR_MSG_PEEK), MP_ROM_INT(1) },
    { MP_ROM_QSTR(MP_QSTR_MSG_DONTWAIT), MP_ROM_INT(2) },
};
static MP_DEFINE_CONST_DICT(socket_globals, socket_globals_table);
const mp_obj_module_t socket_module = { .base = { &mp_type_module }, .globals = (mp_obj_dict_t *)&socket_globals };
MP_REGISTER_EXTENSIBLE_MODULE(MP_QSTR_socket, socket_module);
