// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ids of observers: stable, each once in a function.
#pragma once

#include "Names.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "qopt/IR/Qopt.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

namespace mlir::qopt {

/// Names for observers, each once in a function.
class ObserverIds {
public:
  explicit ObserverIds(func::FuncOp function) {
    function.walk([&](ObserveOp op) { used.insert(op.getId()); });
  }

  /// `name`, or `name_2`, `name_3`, ... where it is taken.
  std::string unique(StringRef name) {
    std::string id = name.str();
    for (unsigned number = 2; !used.insert(id).second; ++number)
      id = (name + "_" + Twine(number)).str();
    return id;
  }

  /// The id of an op's result: the model's name of it, else `conv_0`, ...
  std::string forOp(Operation *op) {
    StringAttr name = getValueName(op);
    if (name && !name.empty())
      return unique(name.getValue());
    StringRef kind = op->getName().stripDialect();
    return unique((kind + "_" + Twine(ordinals[kind]++)).str());
  }

  /// The id of an argument: the model's name of it, else `arg0`, ...
  std::string forArgument(BlockArgument argument) {
    auto function = cast<func::FuncOp>(argument.getOwner()->getParentOp());
    unsigned index = argument.getArgNumber();
    auto name = function.getArgAttrOfType<StringAttr>(index, boundaryNameAttr);
    return unique(name && !name.empty() ? name.str()
                                        : "arg" + std::to_string(index));
  }

private:
  llvm::StringSet<> used;
  llvm::StringMap<unsigned> ordinals;
};

} // namespace mlir::qopt
