// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// TensorProto to Constant: the one way in for every tensor of a model.
#pragma once

#include "Model.h"
#include "OnnxProto.h"
#include "llvm/Support/SHA256.h"

namespace mlir::qopt::importer {

/// What tensors of one model share: where external data may lie, and the hash
/// and byte count that external data adds to.
struct TensorSource {
  std::string folder;
  bool allowExternal = false;
  llvm::SHA256 hash;
  uint64_t bytes = 0;
};

/// Reads `proto`, called `name` in messages. Refuses (Q0205) a type that is not
/// numeric, negative or overflowing dimensions, and data whose length is not
/// what type and shape ask for; external data as readExternalData.
Expected<ConstantRef> readTensor(const onnx::TensorProto &proto, StringRef name,
                                 TensorSource &source);

/// `float32`, `int64`, ...
std::string typeName(int type);

/// True for the types that are held as float32.
bool isFloatType(int type);

} // namespace mlir::qopt::importer
