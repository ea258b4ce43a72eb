/* Links with nothing but these twenty lines: no libc, no start files. */
#include "mlp.h"

void *memset(void *dst, int value, size_t count) {
  unsigned char *d = dst;
  while (count--)
    *d++ = (unsigned char)value;
  return dst;
}
void *memmove(void *dst, const void *src, size_t count) {
  unsigned char *d = dst;
  const unsigned char *s = src;
  if (d < s)
    while (count--)
      *d++ = *s++;
  else
    while (count--)
      d[count] = s[count];
  return dst;
}
void *memcpy(void *dst, const void *src, size_t count) {
  return memmove(dst, src, count);
}

static _Alignas(mlp_ARENA_ALIGN) unsigned char arena[mlp_ARENA_SIZE + 1];

__attribute__((force_align_arg_pointer)) void _start(void) {
  int8_t x[mlp_x_ELEMENTS];
  int16_t first[mlp_y_ELEMENTS], second[mlp_y_ELEMENTS];
  long status = 0;
  for (unsigned i = 0; i < mlp_x_ELEMENTS; ++i)
    x[i] = (int8_t)(31 * i);
  mlp_inputs in = {x};
  mlp_outputs out = {first};
  mlp_run(&in, &out, arena, 0);
  /* No state stays in the arena. */
  memset(arena, 0xa5, mlp_ARENA_SIZE);
  out.y = second;
  mlp_run(&in, &out, arena, 0);
  for (unsigned i = 0; i < mlp_y_ELEMENTS; ++i)
    status |= first[i] != second[i];
  __asm__ volatile("syscall" : : "a"(231L), "D"(status) : "rcx", "r11");
  __builtin_unreachable();
}
