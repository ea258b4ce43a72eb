// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `main` of an emitted executable: its command line, and the buffers around a
// model.

#define _POSIX_C_SOURCE 200809L
#include "driver.h"
#include "qopt/Runtime/qopt_pool.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Defined by a small object that qopt makes when it links an executable. */
extern const qopt_model *const qopt_driver_model;

int driver_fail(int code, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  fputs("error: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  va_end(arguments);
  return code;
}

static const qopt_tensor *tensor_at(const qopt_model *model,
                                    const qopt_tensor *first, uint32_t index) {
  return (const qopt_tensor *)((const char *)first +
                               (size_t)index * model->tensor_size);
}

const qopt_tensor *driver_input(const qopt_model *model, uint32_t index) {
  return tensor_at(model, model->inputs, index);
}

const qopt_tensor *driver_output(const qopt_model *model, uint32_t index) {
  return tensor_at(model, model->outputs, index);
}

static void print_tensor(const char *role, const qopt_tensor *tensor) {
  static const char *const types[] = {"int8", "uint8", "int16", "uint16",
                                      "int32", "float32"};
  printf("  %s %s: %s [", role, tensor->name,
         tensor->type < 6 ? types[tensor->type] : "unknown");
  for (uint32_t i = 0; i < tensor->rank; ++i)
    printf("%s%lld", i ? ", " : "", (long long)tensor->dims[i]);
  printf("], scale %g, zero point %d\n", (double)tensor->scale,
         (int)tensor->zero_point);
}

void driver_print_usage(const char *program, const qopt_model *model) {
  printf("usage: %s --in NAME=FILE.npy ... --out NAME=FILE.npy ... [--raw] "
         "[--threads N]\n"
         "       %s --bench SECONDS [--in NAME=FILE.npy ...] [--threads N]\n"
         "       %s --info\n\n"
         "Runs the compiled model '%s'. Float files are quantized, integer "
         "files go in as\nthey are; a leading extra axis means many samples. "
         "--raw writes integers.\nNAME= may be left out where there is one.\n",
         program, program, program, model->name);
  for (uint32_t i = 0; i < model->num_inputs; ++i)
    print_tensor("input", driver_input(model, i));
  for (uint32_t i = 0; i < model->num_outputs; ++i)
    print_tensor("output", driver_output(model, i));
}

/* Puts the path of `name=path` into the tensor's slot of `paths`. */
static int assign_path(const qopt_model *model, bool input, const char *text,
                       const char **paths) {
  uint32_t count = input ? model->num_inputs : model->num_outputs;
  const char *role = input ? "input" : "output";
  for (uint32_t i = 0; i < count; ++i) {
    const qopt_tensor *tensor =
        input ? driver_input(model, i) : driver_output(model, i);
    size_t length = strlen(tensor->name);
    if (strncmp(text, tensor->name, length) != 0 || text[length] != '=')
      continue;
    if (paths[i])
      return driver_fail(EXIT_USAGE, "%s '%s' is given twice", role,
                         tensor->name);
    paths[i] = text + length + 1;
    return EXIT_OK;
  }
  if (count == 1 && !paths[0] && !strchr(text, '=')) {
    paths[0] = text;
    return EXIT_OK;
  }
  return driver_fail(EXIT_USAGE,
                     "'%s' names no %s of the model; write NAME=FILE.npy with "
                     "a name that --help lists",
                     text, role);
}

/* Takes the option at argv[*at] and its value; *at ends on the last word. */
static int parse_option(int argc, char **argv, int *at, const qopt_model *model,
                        driver_options *options) {
  const char *option = argv[*at];
  if (!strcmp(option, "--raw"))
    options->raw = true;
  else if (!strcmp(option, "--info"))
    options->info = true;
  else if (!strcmp(option, "--help") || !strcmp(option, "-h"))
    options->help = true;
  else if (!strcmp(option, "--in") || !strcmp(option, "--out") ||
           !strcmp(option, "--bench") || !strcmp(option, "--threads")) {
    if (*at + 1 >= argc)
      return driver_fail(EXIT_USAGE, "%s needs a value", option);
    const char *value = argv[++*at];
    char *end = NULL;
    if (!strcmp(option, "--in"))
      return assign_path(model, true, value, options->in);
    if (!strcmp(option, "--out"))
      return assign_path(model, false, value, options->out);
    double number = strtod(value, &end);
    bool is_bench = !strcmp(option, "--bench");
    double most = is_bench ? 86400 : 1024;
    if (end == value || *end || !(number > 0 && number <= most) ||
        (!is_bench && number != (double)(uint32_t)number))
      return driver_fail(EXIT_USAGE, "%s needs a %s up to %g, but got '%s'",
                         option, is_bench ? "number" : "whole number", most,
                         value);
    if (is_bench)
      options->bench_seconds = number;
    else
      options->threads = (uint32_t)number;
  } else
    return driver_fail(EXIT_USAGE, "option '%s' is not known; --help lists all",
                       option);
  return EXIT_OK;
}

int driver_parse(int argc, char **argv, const qopt_model *model,
                 driver_options *options) {
  options->threads = 1;
  for (int i = 1; i < argc; ++i) {
    int code = parse_option(argc, argv, &i, model, options);
    if (code != EXIT_OK)
      return code;
  }
  return EXIT_OK;
}

static void *allocate(uint64_t bytes, uint64_t alignment) {
  void *memory = NULL;
  if (alignment < sizeof(void *))
    alignment = sizeof(void *);
  if (posix_memalign(&memory, alignment, bytes ? bytes : 1) != 0)
    return NULL;
  memset(memory, 0, bytes);
  return memory;
}

int driver_open(driver_session *session, const qopt_model *model,
                uint32_t threads) {
  memset(session, 0, sizeof *session);
  session->model = model;
  session->context.struct_size = sizeof session->context;
  session->context.workers = 1;
  if (model->resolve_variant)
    session->context.variant = model->resolve_variant();
  if (session->context.variant == QOPT_NO_VARIANT)
    return driver_fail(EXIT_UNSUPPORTED,
                       "this CPU lacks instructions that the model was "
                       "compiled for; --info names them");
  session->arena = allocate(model->arena_size, model->arena_align);
  session->inputs = calloc(model->num_inputs + 1u, sizeof(void *));
  session->outputs = calloc(model->num_outputs + 1u, sizeof(void *));
  bool complete = session->arena && session->inputs && session->outputs;
  for (uint32_t i = 0; complete && i < model->num_inputs; ++i)
    complete = (session->inputs[i] =
                    allocate(driver_input(model, i)->bytes, 64)) != NULL;
  for (uint32_t i = 0; complete && i < model->num_outputs; ++i)
    complete = (session->outputs[i] =
                    allocate(driver_output(model, i)->bytes, 64)) != NULL;
  if (!complete)
    return driver_fail(EXIT_IO, "the model needs more memory than there is");
  if (threads > model->max_workers)
    threads = model->max_workers;
  if (threads > 1) {
    session->pool = qopt_pool_create(threads);
    if (!session->pool)
      return driver_fail(EXIT_IO, "%u threads cannot be started", threads);
    qopt_pool_attach(session->pool, &session->context);
  }
  return EXIT_OK;
}

void driver_close(driver_session *session) {
  qopt_pool_destroy(session->pool);
  for (uint32_t i = 0; session->inputs && i < session->model->num_inputs; ++i)
    free(session->inputs[i]);
  for (uint32_t i = 0; session->outputs && i < session->model->num_outputs; ++i)
    free(session->outputs[i]);
  free(session->inputs);
  free(session->outputs);
  free(session->arena);
}

/* Without a pool there is nothing that the context could say but the variant.
 */
void driver_run_once(driver_session *session) {
  const qopt_context *context =
      session->pool || session->context.variant ? &session->context : NULL;
  session->model->run((const void *const *)session->inputs, session->outputs,
                      session->arena, context);
}

int main(int argc, char **argv) {
  const qopt_model *model = qopt_driver_model;
  if (model->abi_version != QOPT_ABI_VERSION ||
      model->struct_size < sizeof(qopt_model))
    return driver_fail(EXIT_UNSUPPORTED,
                       "the model has ABI version %u, this driver %u",
                       model->abi_version, QOPT_ABI_VERSION);
  driver_options options = {0};
  options.in = calloc(model->num_inputs + 1u, sizeof(char *));
  options.out = calloc(model->num_outputs + 1u, sizeof(char *));
  int code = options.in && options.out
                 ? driver_parse(argc, argv, model, &options)
                 : driver_fail(EXIT_IO, "no memory");
  if (code == EXIT_OK && options.help) {
    driver_print_usage(argc ? argv[0] : model->name, model);
  } else if (code == EXIT_OK && options.info) {
    puts(model->info);
  } else if (code == EXIT_OK) {
    driver_session session;
    code = driver_open(&session, model, options.threads);
    if (code == EXIT_OK)
      code = options.bench_seconds > 0 ? driver_bench(&session, &options)
                                       : driver_run_files(&session, &options);
    driver_close(&session);
  }
  free(options.in);
  free(options.out);
  if (fflush(stdout) != 0 && code == EXIT_OK)
    code = driver_fail(EXIT_IO, "standard output cannot be written");
  return code;
}
