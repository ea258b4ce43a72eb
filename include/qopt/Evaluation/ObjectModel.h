// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An emitted object, loaded and run as its users do: through NAME_model.
#pragma once

#include "qopt/Target/Jit.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <vector>

struct qopt_model;
struct qopt_tensor;

namespace mlir::qopt::evaluation {

/// One model in this process. Not thread safe.
class ObjectModel {
public:
  /// Loads `object`, whose symbols begin with `name`. Fails with Q0706 where it
  /// cannot be loaded, Q0733 where it is of another ABI, Q0304 where this CPU
  /// lacks what the object needs.
  static llvm::Expected<std::unique_ptr<ObjectModel>>
  create(llvm::StringRef object, llvm::StringRef name);
  ~ObjectModel();

  /// What the object says of itself; lives as long as this.
  const qopt_model &getModel() const { return *model; }
  const qopt_tensor &getInput(size_t index) const;
  const qopt_tensor &getOutput(size_t index) const;

  /// Elements of each input and output, graph order.
  std::vector<int64_t> inputSizes() const;
  std::vector<int64_t> outputSizes() const;

  /// Quantizes floats, one array an input, into the model's input buffers: by
  /// the object's helper, or by `numerics::quantize` where it has none.
  void setInputs(llvm::ArrayRef<const float *> inputs);
  void setInput(size_t index, const float *values);
  /// The buffer of an input, for integers as they are.
  llvm::MutableArrayRef<char> inputBytes(size_t index);
  /// One serial inference.
  void run();
  /// Dequantizes the model's output buffers, the same way.
  void getOutputs(llvm::ArrayRef<float *> outputs) const;
  void getOutput(size_t index, float *values) const;
  /// The integers of output `index` as they are.
  llvm::ArrayRef<char> outputBytes(unsigned index) const;

private:
  ObjectModel() = default;
  llvm::Error load(llvm::StringRef object, llvm::StringRef name);

  struct Free {
    void operator()(void *pointer) const;
  };
  std::unique_ptr<target::Jit> jit;
  const qopt_model *model = nullptr;
  /// The best for this CPU.
  uint32_t variant = 0;
  std::vector<std::vector<char>> inputs, outputs;
  std::vector<const void *> inputPointers;
  std::vector<void *> outputPointers;
  std::unique_ptr<void, Free> arena;
};

} // namespace mlir::qopt::evaluation
