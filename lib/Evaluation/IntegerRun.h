// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The integer function on float samples, all named values kept.
#pragma once

#include "qopt/Calibration/Engine.h"
#include "qopt/Numerics/QuantParams.h"

namespace mlir::qopt::evaluation {

/// The probe of `id` in `engine`, or null.
const calibration::Probe *findProbe(const calibration::Engine &engine,
                                    llvm::StringRef id);

/// Parameters of a signed type of `bits`, 32 too.
numerics::QuantParams makeParams(float scale, int64_t zeroPoint, unsigned bits);

/// What the integers of an argument or result of the integer function mean, by
/// its attributes. Fails with Q0734 where they have no scale; `what` names it.
llvm::Expected<numerics::QuantParams>
getBoundaryParams(DictionaryAttr attributes, Type type,
                  const llvm::Twine &what);

class IntegerRun {
public:
  /// Fails with Q0734 where an argument has no scale, and as `Engine::create`.
  static llvm::Expected<IntegerRun> create(func::FuncOp integer);

  /// One sample; one array of floats an argument.
  void run(llvm::ArrayRef<const float *> inputs);
  /// The integers of value `id` of the last run, or null where the integer
  /// function does not have it.
  const calibration::Probe *find(llvm::StringRef id) const {
    return findProbe(*engine, id);
  }

private:
  struct Argument {
    numerics::QuantParams params;
    unsigned bits = 8;
    int64_t elements = 0;
    std::vector<char> bytes;
  };

  llvm::Error addArguments(func::FuncOp integer);

  std::unique_ptr<calibration::Engine> engine;
  std::vector<std::vector<char>> outputs;
  std::vector<Argument> arguments;
};

} // namespace mlir::qopt::evaluation
