// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The driver of an object's ABI.

#include "qopt/Evaluation/ObjectModel.h"
#include "qopt/Numerics/QuantParams.h"
#include "qopt/Runtime/qopt_abi.h"
#include "qopt/Support/Error.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Alignment.h"
#include <cstdlib>
#include <cstring>

using namespace mlir::qopt;
using namespace mlir::qopt::evaluation;

void ObjectModel::Free::operator()(void *pointer) const { std::free(pointer); }

ObjectModel::~ObjectModel() = default;

/// Tensor `index` of an array whose entries may have grown.
static const qopt_tensor &tensorAt(const qopt_model &model,
                                   const qopt_tensor *tensors, size_t index) {
  return *reinterpret_cast<const qopt_tensor *>(
      reinterpret_cast<const char *>(tensors) + index * model.tensor_size);
}

static const qopt_tensor &inputAt(const qopt_model &model, size_t index) {
  return tensorAt(model, model.inputs, index);
}

static const qopt_tensor &outputAt(const qopt_model &model, size_t index) {
  return tensorAt(model, model.outputs, index);
}

/// Calls `visit` with a null pointer of the C type of `type`.
template <typename Visit> static void visitType(uint32_t type, Visit visit) {
  switch (type) {
  case QOPT_TYPE_I8:
    return visit(static_cast<int8_t *>(nullptr));
  case QOPT_TYPE_U8:
    return visit(static_cast<uint8_t *>(nullptr));
  case QOPT_TYPE_I16:
    return visit(static_cast<int16_t *>(nullptr));
  case QOPT_TYPE_U16:
    return visit(static_cast<uint16_t *>(nullptr));
  default:
    return visit(static_cast<int32_t *>(nullptr));
  }
}

static void quantize(const qopt_tensor &tensor, const float *from, void *to) {
  if (tensor.quantize)
    return tensor.quantize(from, to);
  if (tensor.type == QOPT_TYPE_F32) {
    std::memcpy(to, from, tensor.bytes);
    return;
  }
  visitType(tensor.type, [&](auto *null) {
    using T = std::remove_pointer_t<decltype(null)>;
    numerics::QuantParams params;
    params.scale = tensor.scale;
    params.zeroPoint = tensor.zero_point;
    params.qmin = static_cast<int32_t>(std::numeric_limits<T>::min());
    params.qmax = static_cast<int32_t>(std::numeric_limits<T>::max());
    for (uint64_t i = 0; i < tensor.elements; ++i)
      static_cast<T *>(to)[i] =
          static_cast<T>(numerics::quantize(from[i], params));
  });
}

static void dequantize(const qopt_tensor &tensor, const void *from, float *to) {
  if (tensor.dequantize)
    return tensor.dequantize(from, to);
  if (tensor.type == QOPT_TYPE_F32) {
    std::memcpy(to, from, tensor.bytes);
    return;
  }
  visitType(tensor.type, [&](auto *null) {
    using T = std::remove_pointer_t<decltype(null)>;
    numerics::QuantParams params;
    params.scale = tensor.scale;
    params.zeroPoint = tensor.zero_point;
    for (uint64_t i = 0; i < tensor.elements; ++i)
      to[i] = numerics::dequantize(static_cast<const T *>(from)[i], params);
  });
}

llvm::Expected<std::unique_ptr<ObjectModel>>
ObjectModel::create(llvm::StringRef object, llvm::StringRef name) {
  std::unique_ptr<ObjectModel> result(new ObjectModel());
  if (llvm::Error error = result->load(object, name))
    return std::move(error);
  return result;
}

llvm::Error ObjectModel::load(llvm::StringRef object, llvm::StringRef name) {
  auto loaded = target::Jit::createFromObject(object);
  if (!loaded)
    return loaded.takeError();
  jit = std::move(*loaded);
  auto symbol = jit->lookup((name + "_model").str());
  if (!symbol)
    return symbol.takeError();
  model = static_cast<const qopt_model *>(*symbol);
  if (model->abi_version != QOPT_ABI_VERSION ||
      model->struct_size < sizeof(qopt_model) ||
      model->tensor_size < sizeof(qopt_tensor))
    return makeError(733, "the object has ABI version " +
                              std::to_string(model->abi_version) +
                              ", expected " + std::to_string(QOPT_ABI_VERSION));
  variant = model->resolve_variant();
  if (variant == QOPT_NO_VARIANT)
    return makeError(334,
                     "the object cannot be evaluated: this CPU lacks "
                     "instructions that it uses",
                     {}, "compile for this machine, or evaluate on the target");
  for (size_t i = 0; i < model->num_inputs; ++i) {
    inputs.emplace_back(inputAt(*model, i).bytes);
    inputPointers.push_back(inputs.back().data());
  }
  for (size_t i = 0; i < model->num_outputs; ++i) {
    outputs.emplace_back(outputAt(*model, i).bytes);
    outputPointers.push_back(outputs.back().data());
  }
  const uint64_t align = std::max<uint64_t>(model->arena_align, 64);
  arena.reset(std::aligned_alloc(
      align, llvm::alignTo(std::max<uint64_t>(model->arena_size, 1), align)));
  if (!arena)
    return makeError(731, "no memory for an arena of " +
                              std::to_string(model->arena_size) + " bytes");
  return llvm::Error::success();
}

std::vector<int64_t> ObjectModel::inputSizes() const {
  std::vector<int64_t> sizes;
  for (size_t i = 0; i < model->num_inputs; ++i)
    sizes.push_back(inputAt(*model, i).elements);
  return sizes;
}

std::vector<int64_t> ObjectModel::outputSizes() const {
  std::vector<int64_t> sizes;
  for (size_t i = 0; i < model->num_outputs; ++i)
    sizes.push_back(outputAt(*model, i).elements);
  return sizes;
}

void ObjectModel::setInputs(llvm::ArrayRef<const float *> values) {
  for (size_t i = 0; i < inputs.size(); ++i)
    setInput(i, values[i]);
}

void ObjectModel::setInput(size_t index, const float *values) {
  quantize(inputAt(*model, index), values, inputs[index].data());
}

llvm::MutableArrayRef<char> ObjectModel::inputBytes(size_t index) {
  return inputs[index];
}

const qopt_tensor &ObjectModel::getInput(size_t index) const {
  return inputAt(*model, index);
}

const qopt_tensor &ObjectModel::getOutput(size_t index) const {
  return outputAt(*model, index);
}

void ObjectModel::run() {
  qopt_context context{};
  context.struct_size = sizeof context;
  context.variant = variant;
  context.workers = 1;
  model->run(inputPointers.data(), outputPointers.data(), arena.get(), &context);
}

void ObjectModel::getOutputs(llvm::ArrayRef<float *> values) const {
  for (size_t i = 0; i < outputs.size(); ++i)
    getOutput(i, values[i]);
}

void ObjectModel::getOutput(size_t index, float *values) const {
  dequantize(outputAt(*model, index), outputs[index].data(), values);
}

llvm::ArrayRef<char> ObjectModel::outputBytes(unsigned index) const {
  return outputs[index];
}
