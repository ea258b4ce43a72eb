// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Registration of the qopt dialect and its generated definitions.

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "qopt/IR/Qopt.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::qopt;

#include "qopt/IR/QoptDialect.cpp.inc"
#include "qopt/IR/QoptEnums.cpp.inc"
#include "qopt/IR/QoptInterfaces.cpp.inc"

namespace mlir::qopt::detail {

/// A function and its parameters, uniqued by the parameters' bit patterns, so
/// that 0.0 and -0.0 stay apart.
struct FnAttrStorage : public AttributeStorage {
  using KeyTy = std::tuple<Function, ArrayRef<double>>;

  FnAttrStorage(Function function, ArrayRef<double> params)
      : function(function), params(params) {}

  bool operator==(const KeyTy &key) const {
    ArrayRef<double> other = std::get<1>(key);
    return function == std::get<0>(key) && params.size() == other.size() &&
           llvm::equal(params, other, [](double a, double b) {
             return llvm::bit_cast<uint64_t>(a) == llvm::bit_cast<uint64_t>(b);
           });
  }

  static llvm::hash_code hashKey(const KeyTy &key) {
    llvm::hash_code hash = llvm::hash_value(std::get<0>(key));
    for (double param : std::get<1>(key))
      hash = llvm::hash_combine(hash, llvm::bit_cast<uint64_t>(param));
    return hash;
  }

  static FnAttrStorage *construct(AttributeStorageAllocator &allocator,
                                  const KeyTy &key) {
    return new (allocator.allocate<FnAttrStorage>())
        FnAttrStorage(std::get<0>(key), allocator.copyInto(std::get<1>(key)));
  }

  Function function;
  ArrayRef<double> params;
};

} // namespace mlir::qopt::detail

#define GET_ATTRDEF_CLASSES
#include "qopt/IR/QoptAttrs.cpp.inc"

Function FnAttr::getFunction() const { return getImpl()->function; }
ArrayRef<double> FnAttr::getParams() const { return getImpl()->params; }

#define GET_OP_CLASSES
#include "qopt/IR/QoptOps.cpp.inc"

void QoptDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "qopt/IR/QoptAttrs.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "qopt/IR/QoptOps.cpp.inc"
      >();
}
