// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Errors of a thread, and the checks of arguments.

#include "Handles.h"
#include "qopt/Support/Error.h"
#include <new>

using namespace mlir::qopt;
using namespace mlir::qopt::capi;

namespace {

struct KeptError {
  int status;
  int code;
  std::string message;
  std::vector<std::string> notes;
  std::string help;
  std::vector<const char *> notePointers;
};

thread_local std::vector<KeptError> lastErrors;

} // namespace

qopt_status capi::keepError(llvm::Error error) {
  if (!error)
    return QOPT_OK;
  lastErrors.clear();
  llvm::handleAllErrors(
      std::move(error),
      [&](const QoptError &known) {
        lastErrors.push_back({static_cast<int>(known.exitCode()),
                              known.getCode(), known.getMessage().str(),
                              known.getNotes(), known.getHelp().str(),
                              {}});
      },
      [&](const llvm::ErrorInfoBase &other) {
        lastErrors.push_back({QOPT_INTERNAL, 700, other.message(), {}, {}, {}});
      });
  for (KeptError &kept : lastErrors)
    for (const std::string &note : kept.notes)
      kept.notePointers.push_back(note.c_str());
  return static_cast<qopt_status>(lastErrors.front().status);
}

llvm::Error capi::takeException() {
  try {
    throw;
  } catch (const std::bad_alloc &) {
    return makeError(731, "there is not enough memory");
  } catch (const std::exception &exception) {
    return makeError(700, std::string("exception: ") + exception.what());
  } catch (...) {
    return makeError(700, "an exception of unknown type");
  }
}

Check &Check::refuse(int newCode, const std::string &text) {
  if (failed)
    return *this;
  failed = true;
  code = newCode;
  message = std::string(function) + ": " + text;
  return *this;
}

Check &Check::pointer(const void *value, const char *what) {
  if (!value)
    refuse(nullArgument, std::string("'") + what + "' must not be NULL");
  return *this;
}

Check &Check::structSize(size_t given, size_t least, const char *what) {
  if (given < least)
    refuse(wrongSize, std::string("struct_size of '") + what +
                          "' expects at least " + std::to_string(least) +
                          ", but got " + std::to_string(given));
  return *this;
}

llvm::Error Check::take() {
  if (!failed)
    return llvm::Error::success();
  return makeError(code, message, {}, "qopt-c/qopt.h says what the call takes");
}

const qopt_array &capi::arrayAt(const qopt_array *arrays, size_t index) {
  return *reinterpret_cast<const qopt_array *>(
      reinterpret_cast<const char *>(arrays) + index * arrays->struct_size);
}

std::vector<int64_t> capi::shapeOf(const qopt_array &array) {
  return array.rank ? std::vector<int64_t>(array.dims, array.dims + array.rank)
                    : std::vector<int64_t>();
}

/// What is wrong with one array; empty where nothing is.
static std::string faultOf(const qopt_array &array, size_t structSize) {
  if (array.struct_size != structSize)
    return "has another struct_size than the first";
  if (array.dtype < 0 || array.dtype > QOPT_DTYPE_BOOL)
    return "has the unknown dtype " + std::to_string(array.dtype);
  if (array.rank > 32)
    return "has rank " + std::to_string(array.rank) + ", more than 32";
  if (array.rank && !array.dims)
    return "has a rank, but its dims are NULL";
  std::vector<int64_t> shape = shapeOf(array);
  auto count = calibration::countElements(shape);
  if (!count)
    return "has the shape " + calibration::formatShape(shape) +
           ", which is impossible or too large";
  const unsigned size = calibration::elementSize(
      static_cast<calibration::ElementKind>(array.dtype));
  if (array.bytes != static_cast<size_t>(*count) * size)
    return "has the shape " + calibration::formatShape(shape) + " of " +
           std::to_string(*count * size) + " bytes, but says " +
           std::to_string(array.bytes);
  if (array.bytes && !array.data)
    return "has no data (NULL)";
  if (reinterpret_cast<uintptr_t>(array.data) % size)
    return "is not aligned to its elements of " + std::to_string(size) +
           " bytes";
  return "";
}

void capi::checkArrays(Check &check, const qopt_array *arrays, size_t count,
                       const char *what) {
  if (!count)
    return;
  check.pointer(arrays, what);
  if (!arrays)
    return;
  check.structSize(arrays->struct_size, sizeof(qopt_array), what);
  if (arrays->struct_size < sizeof(qopt_array) ||
      arrays->struct_size % alignof(qopt_array)) {
    check.refuse(wrongSize, "struct_size is no size of an array's struct");
    return;
  }
  for (size_t i = 0; i < count; ++i) {
    std::string fault = faultOf(arrayAt(arrays, i), arrays->struct_size);
    if (!fault.empty()) {
      check.refuse(wrongSize, "array " + std::to_string(i) + " of '" + what +
                                  "' " + fault);
      return;
    }
  }
}

qopt_status qopt_last_error(size_t index, qopt_error *error) {
  if (!error || error->struct_size < sizeof(qopt_error) ||
      index >= lastErrors.size())
    return QOPT_USAGE;
  const KeptError &kept = lastErrors[index];
  error->status = kept.status;
  error->code = kept.code;
  error->message = kept.message.c_str();
  error->num_notes = kept.notePointers.size();
  error->notes = kept.notePointers.data();
  error->help = kept.help.c_str();
  return QOPT_OK;
}

const char *qopt_version(void) { return QOPT_VERSION; }
