// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A compiled model, loaded into this process and run on arrays.

#include "Handles.h"
#include "qopt/Runtime/qopt_abi.h"
#include "qopt/Support/Error.h"
#include <cstring>

using namespace mlir::qopt;
using namespace mlir::qopt::capi;

static llvm::Error load(llvm::StringRef object, llvm::StringRef name,
                        qopt_program **program) {
  auto model = evaluation::ObjectModel::create(object, name);
  if (!model)
    return model.takeError();
  auto made = std::make_unique<qopt_program>();
  made->model = std::move(*model);
  *program = made.release();
  return llvm::Error::success();
}

qopt_status qopt_program_create(const qopt_result *result,
                                qopt_program **program) {
  return guard(__func__, [&](Check &check) -> llvm::Error {
    if (program)
      *program = nullptr;
    if (llvm::Error error = check.handle(result, "result")
                                .pointer(program, "program")
                                .take())
      return error;
    auto object = findFile(result->compiled, "obj");
    if (!object)
      return object.takeError();
    return load(**object, result->compiled.name, program);
  });
}

qopt_status qopt_program_load(const void *object, size_t size,
                              const char *name, qopt_program **program) {
  return guard(__func__, [&](Check &check) -> llvm::Error {
    if (program)
      *program = nullptr;
    check.pointer(object, "object")
        .pointer(name, "name")
        .pointer(program, "program");
    if (!size)
      check.refuse(wrongSize, "'size' must not be 0");
    if (llvm::Error error = check.take())
      return error;
    return load({static_cast<const char *>(object), size}, name, program);
  });
}

void qopt_program_destroy(qopt_program *program) { destroy(program); }

qopt_status qopt_program_count(const qopt_program *program, size_t *inputs,
                               size_t *outputs) {
  return guard(__func__, [&](Check &check) -> llvm::Error {
    if (llvm::Error error = check.handle(program, "program")
                                .pointer(inputs, "inputs")
                                .pointer(outputs, "outputs")
                                .take())
      return error;
    *inputs = program->model->getModel().num_inputs;
    *outputs = program->model->getModel().num_outputs;
    return llvm::Error::success();
  });
}

static qopt_dtype dtypeOf(const qopt_tensor &tensor) {
  switch (tensor.type) {
  case QOPT_TYPE_I8:
    return QOPT_DTYPE_I8;
  case QOPT_TYPE_U8:
    return QOPT_DTYPE_U8;
  case QOPT_TYPE_I16:
    return QOPT_DTYPE_I16;
  case QOPT_TYPE_U16:
    return QOPT_DTYPE_U16;
  case QOPT_TYPE_F32:
    return QOPT_DTYPE_F32;
  default:
    return QOPT_DTYPE_I32;
  }
}

static qopt_status describe(const char *function, const qopt_program *program,
                            bool isInput, size_t index, qopt_port *port) {
  return guard(function, [&](Check &check) -> llvm::Error {
    check.handle(program, "program").pointer(port, "port");
    if (port)
      check.structSize(port->struct_size, sizeof(qopt_port), "port");
    if (llvm::Error error = check.take())
      return error;
    const qopt_model &model = program->model->getModel();
    const size_t count = isInput ? model.num_inputs : model.num_outputs;
    if (index >= count)
      return check
          .refuse(wrongSize, "index " + std::to_string(index) + " of " +
                                 std::to_string(count))
          .take();
    const qopt_tensor &tensor = isInput ? program->model->getInput(index)
                                        : program->model->getOutput(index);
    port->name = tensor.name;
    port->dtype = dtypeOf(tensor);
    port->rank = tensor.rank;
    port->dims = tensor.dims;
    port->elements = tensor.elements;
    port->scale = tensor.scale;
    port->zero_point = tensor.zero_point;
    return llvm::Error::success();
  });
}

qopt_status qopt_program_input(const qopt_program *program, size_t index,
                               qopt_port *port) {
  return describe(__func__, program, /*isInput=*/true, index, port);
}

qopt_status qopt_program_output(const qopt_program *program, size_t index,
                                qopt_port *port) {
  return describe(__func__, program, /*isInput=*/false, index, port);
}

namespace {

/// The array of one input or output in a run.
struct Bound {
  char *data = nullptr;
  bool isFloat = false;
  /// Bytes of one sample in the array.
  size_t stride = 0;
};

} // namespace

namespace {

/// The inputs or the outputs of a run: which array belongs to which tensor.
class Side {
public:
  Side(const evaluation::ObjectModel &model, bool isInput)
      : model(model), isInput(isInput),
        count(isInput ? model.getModel().num_inputs
                      : model.getModel().num_outputs),
        what(isInput ? "inputs" : "outputs") {}

  /// `samples` is 0 until the first array says how many there are.
  llvm::Error bind(const qopt_array *arrays, size_t given, int64_t &samples);

  std::vector<Bound> bound;

private:
  const qopt_tensor &tensor(size_t i) const {
    return isInput ? model.getInput(i) : model.getOutput(i);
  }
  llvm::Expected<size_t> find(const char *name, size_t position) const;

  const evaluation::ObjectModel &model;
  bool isInput;
  size_t count;
  std::string what;
};

} // namespace

/// The number of the tensor that an array is for.
llvm::Expected<size_t> Side::find(const char *name, size_t position) const {
  size_t number = position;
  if (name)
    for (number = 0; number < count; ++number)
      if (llvm::StringRef(tensor(number).name) == name)
        break;
  if (number == count)
    return makeError(445, std::string("'") + name +
                              "' is none of the model's " + what);
  if (bound[number].stride)
    return makeError(445, std::string("'") + tensor(number).name +
                              "' is given twice in the " + what);
  return number;
}

/// Samples in `array` for `tensor`.
static llvm::Expected<int64_t> countSamples(const qopt_array &array,
                                            const qopt_tensor &tensor) {
  const llvm::ArrayRef<int64_t> shape(tensor.dims, tensor.rank);
  const std::vector<int64_t> given = shapeOf(array);
  auto found = calibration::matchSamples(given, shape);
  if (found && *found > 0)
    return *found;
  return makeError(444, std::string("the array for '") + tensor.name +
                            "' has shape " + calibration::formatShape(given) +
                            ", expected " + calibration::formatShape(shape) +
                            ", or several such samples on axis 0");
}

static llvm::Error checkType(const qopt_array &array,
                             const qopt_tensor &tensor) {
  if (array.dtype == QOPT_DTYPE_F32 || array.dtype == dtypeOf(tensor))
    return llvm::Error::success();
  auto name = [](int32_t dtype) {
    return calibration::elementName(
               static_cast<calibration::ElementKind>(dtype))
        .str();
  };
  return makeError(443, std::string("the array for '") + tensor.name + "' is " +
                            name(array.dtype) + ", but f32 or " +
                            name(dtypeOf(tensor)) + " is expected");
}

llvm::Error Side::bind(const qopt_array *arrays, size_t given,
                       int64_t &samples) {
  if (given != count)
    return makeError(445, "the model has " + std::to_string(count) + " " +
                              what + ", but got " + std::to_string(given) +
                              " arrays");
  bound.assign(count, Bound());
  for (size_t i = 0; i < count; ++i) {
    const qopt_array &array = arrayAt(arrays, i);
    auto number = find(array.name, i);
    if (!number)
      return number.takeError();
    const qopt_tensor &port = tensor(*number);
    auto found = countSamples(array, port);
    if (!found)
      return found.takeError();
    if (samples && samples != *found)
      return makeError(445, std::string("the array for '") + port.name +
                                "' has " + std::to_string(*found) +
                                " samples, but others have " +
                                std::to_string(samples));
    samples = *found;
    if (llvm::Error error = checkType(array, port))
      return error;
    const bool isFloat = array.dtype == QOPT_DTYPE_F32;
    bound[*number] = {static_cast<char *>(array.data), isFloat,
                      isFloat ? port.elements * sizeof(float) : port.bytes};
  }
  return llvm::Error::success();
}

/// Runs sample `sample`. The program's lock is held.
static void runSample(evaluation::ObjectModel &model, int64_t sample,
                      llvm::ArrayRef<Bound> inputs,
                      llvm::ArrayRef<Bound> outputs) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    const char *from = inputs[i].data + sample * inputs[i].stride;
    if (inputs[i].isFloat)
      model.setInput(i, reinterpret_cast<const float *>(from));
    else
      std::memcpy(model.inputBytes(i).data(), from, inputs[i].stride);
  }
  model.run();
  for (size_t i = 0; i < outputs.size(); ++i) {
    char *to = outputs[i].data + sample * outputs[i].stride;
    if (outputs[i].isFloat)
      model.getOutput(i, reinterpret_cast<float *>(to));
    else
      std::memcpy(to, model.outputBytes(i).data(), outputs[i].stride);
  }
}

qopt_status qopt_program_run(qopt_program *program, const qopt_array *inputs,
                             size_t num_inputs, qopt_array *outputs,
                             size_t num_outputs) {
  return guard(__func__, [&](Check &check) -> llvm::Error {
    check.handle(program, "program");
    checkArrays(check, inputs, num_inputs, "inputs");
    checkArrays(check, outputs, num_outputs, "outputs");
    if (llvm::Error error = check.take())
      return error;
    evaluation::ObjectModel &model = *program->model;
    Side in(model, /*isInput=*/true), out(model, /*isInput=*/false);
    int64_t samples = 0;
    if (llvm::Error error = in.bind(inputs, num_inputs, samples))
      return error;
    if (llvm::Error error = out.bind(outputs, num_outputs, samples))
      return error;
    std::lock_guard<std::mutex> lock(program->mutex);
    for (int64_t sample = 0; sample < samples; ++sample)
      runSample(model, sample, in.bound, out.bound);
    return llvm::Error::success();
  });
}
