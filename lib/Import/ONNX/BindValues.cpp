// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensors from the numbers of `--input name:value=...`.
#include "BindValues.h"

#include "Model.h"
#include "ReadTensor.h"
#include "qopt/Support/Error.h"
#include <cmath>
#include <limits>

namespace mlir::qopt::importer {

using onnx::TensorProto;

static llvm::Error doesNotFit(const onnx::ValueInfoProto &input,
                              const std::string &why) {
  return makeError(142, "--input " + input.name() +
                            ":value=... does not fit the model: " + why);
}

/// The declared dimensions, which `count` numbers fill or one repeats.
static Expected<Shape> chooseShape(const onnx::ValueInfoProto &input,
                                   int64_t count) {
  Shape shape;
  int64_t known = 1, open = 0;
  for (const auto &dim : input.type().tensor_type().shape().dim()) {
    const bool isOpen = !dim.has_dim_value() || dim.dim_value() <= 0;
    shape.push_back(isOpen ? -1 : dim.dim_value());
    open += isOpen;
    if (isOpen)
      continue;
    if (shape.back() > kMaxElements / known)
      return doesNotFit(input, "the input is too large");
    known *= shape.back();
  }
  const bool fillsOpen = open == 1 && count % known == 0;
  if (count != 1 && count != known && !fillsOpen)
    return doesNotFit(input, std::to_string(count) + " numbers for " +
                                 std::to_string(known) + " elements");
  for (int64_t &size : shape)
    if (size < 0)
      size = fillsOpen ? count / known : 1;
  return shape;
}

/// Whether every number is one of an integer type.
static bool areIntegers(ArrayRef<double> values, double low, double high) {
  return llvm::all_of(values, [&](double value) {
    return value == std::rint(value) && value >= low && value <= high;
  });
}

/// The ends of an integer type, as far as doubles hold them exactly.
static std::pair<double, double> getRange(int type) {
  switch (type) {
  case TensorProto::INT8:
    return {-128, 127};
  case TensorProto::UINT8:
    return {0, 255};
  case TensorProto::INT16:
    return {-32768, 32767};
  case TensorProto::UINT16:
    return {0, 65535};
  case TensorProto::BOOL:
    return {0, 1};
  case TensorProto::INT32:
    return {-0x1p31, 0x1p31 - 1};
  default:
    return {-0x1p53, 0x1p53};
  }
}

Expected<std::unique_ptr<TensorProto>>
makeBoundTensor(const onnx::ValueInfoProto &input, ArrayRef<double> values) {
  Expected<Shape> shape = chooseShape(input, values.size());
  if (!shape)
    return shape.takeError();
  auto tensor = std::make_unique<TensorProto>();
  tensor->set_name(input.name());
  int64_t elements = 1;
  for (int64_t size : *shape) {
    tensor->add_dims(size);
    elements *= size;
  }
  const int type = input.type().tensor_type().elem_type();
  const auto [low, high] = getRange(type);
  if (!isFloatType(type) && !areIntegers(values, low, high))
    return doesNotFit(input, "it has type " + typeName(type));
  auto at = [&](int64_t i) { return values[values.size() == 1 ? 0 : i]; };
  // Floats of every type are computed with as float32.
  tensor->set_data_type(isFloatType(type) ? int(TensorProto::FLOAT) : type);
  for (int64_t i = 0; i < elements; ++i) {
    if (isFloatType(type))
      tensor->add_float_data(static_cast<float>(at(i)));
    else if (type == TensorProto::INT64)
      tensor->add_int64_data(static_cast<int64_t>(at(i)));
    else
      tensor->add_int32_data(static_cast<int32_t>(at(i)));
  }
  return std::move(tensor);
}

} // namespace mlir::qopt::importer
