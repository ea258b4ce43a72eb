// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The public face of an emitted model: NAME_run, the boundary helpers,
// NAME_model and NAME_info around a compute function
// (include/qopt/Runtime/qopt_abi.h).
#pragma once

#include "qopt/Target/Target.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>
#include <vector>

namespace llvm {
class Module;
} // namespace llvm

namespace mlir::qopt::target {

/// Element types at the boundary, numbered as QOPT_TYPE_*.
enum class BoundaryType : uint32_t {
  I8 = 0,
  U8 = 1,
  I16 = 2,
  U16 = 3,
  I32 = 4,
  F32 = 5
};

/// Bytes of one element.
unsigned boundaryTypeSize(BoundaryType type);
/// `int8_t`.
const char *boundaryTypeName(BoundaryType type);

/// One graph input or output.
struct BoundaryTensor {
  /// As in the ONNX model.
  std::string name;
  /// A C identifier, unique among inputs and outputs.
  std::string identifier;
  std::vector<int64_t> shape;
  BoundaryType type = BoundaryType::I8;
  float scale = 1;
  int32_t zeroPoint = 0;
  int32_t qmin = -128;
  int32_t qmax = 127;

  uint64_t elements() const;
};

/// A piece of the computation; regions run one after the other.
struct AbiRegion {
  /// `void(inputs..., outputs..., arena, i64 part)`.
  std::string function;
  /// Parts may run at the same time.
  int64_t parts = 1;
};

/// The code of one kind of CPU.
struct AbiVariant {
  /// The function to wrap: `void(inputs..., outputs..., arena)`, all pointers.
  std::string computeFunction;
  /// The same computation in regions, for a context with workers; none where
  /// one thread does everything.
  std::vector<AbiRegion> regions;
  /// What the code needs.
  CpuFeatures cpuFeatures;
};

/// The base is variant 0, what runs without a context.
struct AbiSpec : AbiVariant {
  /// A C identifier: the prefix of every symbol.
  std::string name;
  /// Variants 1, 2, ..., poorest first: `resolve_variant` answers the last that
  /// the CPU can run, or QOPT_NO_VARIANT.
  std::vector<AbiVariant> richer;
  std::vector<BoundaryTensor> inputs;
  std::vector<BoundaryTensor> outputs;
  uint64_t arenaBytes = 0;
  uint32_t arenaAlign = 64;
  /// The compile-time maximum of threads.
  uint32_t maxWorkers = 1;
  /// JSON text of NAME_info.
  std::string info;
  /// Whether `NAME_quantize*` and `NAME_dequantize*` are wanted.
  bool helpers = true;
};

/// Adds the public functions and globals to `module`, and returns the names of
/// all symbols that must stay visible. Fails with Q0702 if the compute function
/// is missing or has another signature.
llvm::Expected<std::vector<std::string>> addAbi(llvm::Module &module,
                                                const AbiSpec &spec);

/// The boundary helpers' names: the only functions that may hold float code, or
/// call what does. Not every object has all of them.
std::vector<std::string> helperNames(const AbiSpec &spec);

} // namespace mlir::qopt::target
